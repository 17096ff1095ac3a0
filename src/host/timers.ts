/** Time that passes while a Node program goes on: for the library. */

/** As much of an AbortSignal as is used here. */
export interface Abort {
  readonly aborted: boolean;
  addEventListener(type: 'abort', listener: () => void): void;
  removeEventListener(type: 'abort', listener: () => void): void;
}

/** Calls once, later; the answer calls it off. */
export function after(milliseconds: number, call: () => void): () => void {
  const timer = setTimeout(call, milliseconds);
  return () => clearTimeout(timer);
}

/** Calls again and again; the answer ends it. */
export function every(milliseconds: number, call: () => void): () => void {
  const timer = setInterval(call, milliseconds);
  return () => clearInterval(timer);
}

/** Resolves when the time is up, or at once when it is called off. */
export function delay(milliseconds: number, abort?: Abort): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      abort?.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, milliseconds);
    if (abort?.aborted) done();
    else abort?.addEventListener('abort', done);
  });
}
