/** When the program begins: under Node now. The small engine is put together at build time and begins later (small/start.ts). */
export const whenStarted = (begin: () => unknown): void => void begin();
