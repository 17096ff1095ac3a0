/** Why a program could not be executed, from the errno and what its file says of itself (src/executor/program.c). */
import { errnoName } from '../../tables/errnos.js';

/** e_machine of ELF files, as far as there are containers of them. */
const machines: { readonly [machine: string]: string } = {
  3: 'x86 (32 bits)',
  21: 'ppc64le',
  22: 's390x',
  40: 'arm (32 bits)',
  62: 'x86-64',
  183: 'arm64',
  243: 'RISC-V',
  258: 'LoongArch',
};

function scriptHint(line: string, errno: string, where: string): string | undefined {
  const name = line.slice(2).trimStart().split(/[ \t]/)[0] ?? '';
  if (name === '') return "its first line '#!' names no interpreter";
  if (name.endsWith('\r') && errno === 'ENOENT')
    return `its lines end in CR LF, so the interpreter would be '${name}'; write it with line ends of Unix`;
  if (errno === 'ENOENT') return `its interpreter '${name}' is not ${where}`;
  if (errno === 'EACCES') return `its interpreter '${name}' may not be executed`;
  return errno === 'ENOEXEC' ? `its interpreter '${name}' is no program of this architecture` : undefined;
}

function elfHint(description: string, errno: string, where: string): string | undefined {
  const [, machine = '', loader = ''] = /^e([0-9]+) (.*)$/s.exec(description) ?? [];
  if (errno === 'ENOENT' && loader !== '')
    return `its loader '${loader}' is not ${where}: it needs another C library, or was linked for another system`;
  if (errno !== 'ENOEXEC') return undefined;
  return `it is a program for ${machines[machine] ?? `machine ${machine}`}, or damaged`;
}

/** @param where `in the container`, or `on the host`. */
export function programHint(description: string, errno: string, where: string): string | undefined {
  if (description === '') return undefined;
  if (description.startsWith('#!')) return scriptHint(description, errno, where);
  if (description.startsWith('e')) return elfHint(description, errno, where);
  if (errno === 'ENOEXEC') return description === '0' ? 'the file is empty' : 'is it a script without #!?';
  if (description === 'd') return 'it is a directory';
  return description === 'x' && errno === 'EACCES' ? 'it is not executable (chmod +x)' : undefined;
}

/** What a hook or helper leaves that could not be executed; undefined where it was. */
export function unexecuted(text: string): { readonly errno: string; readonly description: string } | undefined {
  const [, number, description = ''] = (text.charCodeAt(0) === 1 && /^([0-9]+) (.*)$/s.exec(text.slice(1))) || [];
  return number === undefined ? undefined : { errno: errnoName(Number(number)), description };
}
