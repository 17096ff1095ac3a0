/**
 * For tests: a real Chromium without a window, spoken to through a pair of pipes in its own protocol (NUL after each message). That is 60 lines; a
 * package that drives browsers would be the largest one we have.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable, Writable } from 'node:stream';

export const chromium = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find((path) =>
  existsSync(path),
);

type Message = {
  id?: number;
  method?: string;
  params?: Record<string, unknown>;
  result?: Record<string, unknown>;
  error?: { message: string };
};

export class Browser {
  /** Everything that was not as it should be: thrown errors, refused scripts, requests. */
  readonly complaints: string[] = [];
  readonly #folder = mkdtempSync(join(tmpdir(), 'tsrun-browser-'));
  readonly #process: ChildProcess;
  readonly #waiting = new Map<number, (message: Message) => void>();
  #count = 0;
  #session = '';

  constructor() {
    const flags = [
      '--headless=new',
      '--no-sandbox',
      '--disable-gpu',
      '--hide-scrollbars',
      '--remote-debugging-pipe',
      `--user-data-dir=${this.#folder}`,
      '--no-first-run',
      '--disable-extensions',
      '--disable-background-networking',
    ];
    this.#process = spawn(chromium!, [...flags, 'about:blank'], {
      stdio: ['ignore', 'ignore', 'ignore', 'pipe', 'pipe'],
    });
    let rest = '';
    (this.#process.stdio[4] as Readable).setEncoding('utf8').on('data', (text: string) => {
      const parts = (rest + text).split('\0');
      rest = parts.pop() ?? '';
      for (const part of parts) this.#heard(JSON.parse(part) as Message);
    });
  }

  #heard(message: Message): void {
    const { id, method = '', params = {} } = message;
    if (id !== undefined) this.#waiting.get(id)?.(message);
    const text = JSON.stringify(params);
    if (method === 'Runtime.exceptionThrown' || method === 'Runtime.consoleAPICalled' || method === 'Log.entryAdded')
      this.complaints.push(text);
    const url = (params.request as { url?: string } | undefined)?.url ?? '';
    if (method === 'Network.requestWillBeSent' && !/^(file|data):/.test(url)) this.complaints.push(`asked for ${url}`);
  }

  call(method: string, params: object = {}): Promise<Record<string, unknown>> {
    const id = ++this.#count;
    const session = this.#session === '' ? {} : { sessionId: this.#session };
    (this.#process.stdio[3] as Writable).write(`${JSON.stringify({ id, method, params, ...session })}\0`);
    return new Promise((resolve, reject) => {
      const late = setTimeout(() => reject(new Error(`${method}: no answer`)), 60_000);
      this.#waiting.set(id, ({ result = {}, error }) => {
        clearTimeout(late);
        if (error) reject(new Error(`${method}: ${error.message}`));
        else resolve(result);
      });
    });
  }

  async open(path: string, look: { dark?: boolean; width?: number; height?: number } = {}): Promise<void> {
    this.#session = '';
    const { targetId } = await this.call('Target.createTarget', { url: 'about:blank' });
    const { sessionId } = await this.call('Target.attachToTarget', { targetId, flatten: true });
    this.#session = String(sessionId);
    for (const domain of ['Page', 'Runtime', 'Log', 'Network', 'Accessibility']) await this.call(`${domain}.enable`);
    const value = look.dark ? 'dark' : 'light';
    await this.call('Emulation.setEmulatedMedia', { features: [{ name: 'prefers-color-scheme', value }] });
    const { width = 1280, height = 860 } = look;
    await this.call('Emulation.setDeviceMetricsOverride', { width, height, deviceScaleFactor: 1, mobile: false });
    await this.call('Page.navigate', { url: `file://${path}` });
    await this.until("document.readyState === 'complete' && location.protocol === 'file:'");
  }

  async evaluate(expression: string): Promise<unknown> {
    const { result, exceptionDetails } = await this.call('Runtime.evaluate', {
      expression,
      returnByValue: true,
      awaitPromise: true,
    });
    if (exceptionDetails) throw new Error(JSON.stringify(exceptionDetails));
    return (result as { value?: unknown }).value;
  }

  async until(expression: string): Promise<void> {
    for (let i = 0; i < 600; i++) {
      if (await this.evaluate(expression).catch(() => false)) return;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    throw new Error(`never so: ${expression}`);
  }

  /** Key presses, by the names that pages see. */
  async press(...keys: string[]): Promise<void> {
    for (const key of keys) {
      const text = key.length === 1 ? { text: key } : {};
      await this.call('Input.dispatchKeyEvent', {
        type: 'keyDown',
        key,
        code: key,
        ...text,
        ...(key === 'Tab' ? { windowsVirtualKeyCode: 9 } : {}),
      });
      await this.call('Input.dispatchKeyEvent', { type: 'keyUp', key, code: key });
    }
  }

  /** What a screen reader is told: role and name of each node. */
  async accessible(): Promise<{ role: string; name: string }[]> {
    const { nodes } = await this.call('Accessibility.getFullAXTree');
    const text = (value: unknown): string => String((value as { value?: unknown } | undefined)?.value ?? '');
    return (nodes as { role?: unknown; name?: unknown }[]).map(({ role, name }) => ({
      role: text(role),
      name: text(name),
    }));
  }

  async screenshot(): Promise<Uint8Array> {
    const { data } = await this.call('Page.captureScreenshot', { format: 'png' });
    return Buffer.from(String(data), 'base64');
  }

  async close(): Promise<void> {
    const ended = new Promise((resolve) => this.#process.once('exit', resolve));
    this.#session = '';
    await this.call('Browser.close').catch(() => undefined);
    const late = setTimeout(() => this.#process.kill('SIGKILL'), 5000);
    await ended;
    clearTimeout(late);
    rmSync(this.#folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
  }
}
