/** src/host/start.ts for the small engine: src/engine/boot.c calls it in a process of its own, long after the modules were evaluated. */
export const whenStarted = (begin: () => unknown): void => void Object.assign(globalThis, { tsrunMain: begin });
