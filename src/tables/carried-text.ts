/**
 * Objects of texts that are carried along as the JSON they were written in: annotations of 9 MB need not be read to be kept. Whoever looks at
 * one all the same reads it then.
 */
type Texts = { readonly [name: string]: string };

const texts = new WeakMap<object, Uint8Array>();

/** @param json valid, without a key that comes twice. @param isAbsent for names that are known not to be in it. */
export function carry(json: Uint8Array, isAbsent: (name: string) => boolean): Texts {
  const target = Object.create(null) as Record<string, string>;
  let isRead = false;
  const read = (): Record<string, string> => {
    if (!isRead) Object.assign(target, JSON.parse(new TextDecoder().decode(json)));
    isRead = true;
    return target;
  };
  const carried = new Proxy(target, {
    get: (_, name) => (typeof name === 'string' && isAbsent(name) ? undefined : read()[name as string]),
    has: (_, name) => name in read(),
    ownKeys: () => Reflect.ownKeys(read()),
    getOwnPropertyDescriptor: (_, name) => Reflect.getOwnPropertyDescriptor(read(), name),
  });
  texts.set(carried, json);
  return carried;
}

/** The JSON of an object that is carried. */
export const carriedText = (value: object): Uint8Array | undefined => texts.get(value);

const utf8 = new TextEncoder();

export const bytesOf = (part: string | Uint8Array): Uint8Array => (typeof part === 'string' ? utf8.encode(part) : part);

/** Texts and bytes behind each other: text where all are. */
export function joined(
  parts: readonly (string | Uint8Array)[],
  newBytes = (length: number): Uint8Array => new Uint8Array(length),
): string | Uint8Array {
  if (parts.every((part) => typeof part === 'string')) return parts.join('');
  const bytes = parts.map(bytesOf);
  const whole = newBytes(bytes.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of bytes) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
