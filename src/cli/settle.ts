import { Unexplained } from '../bundle/explainer.js';

/** What is to be reported for a thrown value: for a document that was refused in haste, everything that is wrong with it. */
export async function settle(error: unknown): Promise<unknown> {
  if (!(error instanceof Unexplained)) return error;
  await import('../bundle/explain.js');
  try {
    error.again();
    return error;
  } catch (explained) {
    return explained;
  }
}
