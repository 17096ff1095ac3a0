/** Our TypeScript as the one module that the small engine evaluates when its snapshot is made. */
import { existsSync, readFileSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import type { build, Plugin } from 'esbuild';

const host = resolve('src/host');
const small = join(host, 'small');

/** `src/host/NAME.ts` is `src/host/small/NAME.ts` here, where there is one. */
const smallHost: Plugin = {
  name: 'small-host',
  setup({ onResolve }) {
    onResolve({ filter: /^[./]/ }, ({ path, resolveDir, importer }) => {
      const target = resolve(resolveDir, path).replace(/\.js$/, '.ts');
      const other = join(small, basename(target));
      if (dirname(target) !== host || dirname(importer) === small || !existsSync(other)) return undefined;
      return { path: other };
    });
  },
};

/** `import('./x.js')` is of a module that is there already: all are evaluated at build time, none at the first use. */
const everythingAtOnce: Plugin = {
  name: 'everything-at-once',
  setup({ onLoad }) {
    onLoad({ filter: /\/src\/.*\.ts$/ }, ({ path }) => {
      const names: string[] = [];
      const text = readFileSync(path, 'utf8').replace(/(?<!typeof )\bimport\(('[^']+')\)/g, (_, target: string) => {
        names.push(`import * as whole_${names.length} from ${target};`);
        return `Promise.resolve(whole_${names.length - 1})`;
      });
      return { contents: `${text}\n${names.join('\n')}\n`, loader: 'ts' };
    });
  },
};

/** TypeScript as one module for the small engine. */
export async function bundleForEngine(
  bundle: typeof build,
  entry: string,
  define: { [name: string]: string },
): Promise<string> {
  const { outputFiles } = await bundle({
    entryPoints: [entry],
    inject: [join(small, 'text.ts')],
    bundle: true,
    write: false,
    format: 'esm',
    platform: 'neutral',
    target: 'es2022',
    minifySyntax: true,
    minifyWhitespace: true,
    define,
    plugins: [smallHost, everythingAtOnce],
    logLevel: 'warning',
  });
  return outputFiles?.[0]?.text ?? '';
}

/** The program's module. */
export const engineModule = (bundle: typeof build, commit: string): Promise<string> =>
  bundleForEngine(bundle, 'src/main.ts', { TSRUN_COMMIT: JSON.stringify(commit) });
