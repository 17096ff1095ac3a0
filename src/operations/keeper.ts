import type { HostFacts } from '../linux/facts.js';
import type { Keeper } from '../plan/kept.js';

/** For whom plans are kept: for who we are, as long as this engine is the one that would be asked. Under Node for nobody. */
export const keeperOf = (
  { uid, capabilities = 0n }: Pick<HostFacts, 'uid' | 'capabilities'>,
  engine: Keeper['engine'] | undefined,
): Keeper | undefined => engine && { uid, permitted: capabilities, engine };
