/**
 * Objects of texts that are carried along as the JSON they were written in: annotations of 9 MB need not be read to be kept. Whoever looks at
 * one all the same reads it then.
 */
type Texts = { readonly [name: string]: string };

/**
 * Beginnings of the annotations that somebody here asks for by name: what has one of these is read as ever. All others are only kept and
 * shown.
 */
export const askedAnnotations = [
  'io.tsrun.',
  'org.criu.',
  'org.opencontainers.image.stopSignal',
  'org.systemd.property.',
  'run.oci.',
] as const;

const isAsked = (name: string): boolean => name === '' || askedAnnotations.some((start) => name.startsWith(start));

const texts = new WeakMap<object, Uint8Array>();

/** @param json gives the text: valid, no key of it comes twice, and none is asked for by name. @param bytes the same, where they are at hand. */
export function carry(json: () => string, bytes?: Uint8Array): Texts {
  const target = Object.create(null) as Record<string, string>;
  let isRead = false;
  const read = (): Record<string, string> => {
    if (!isRead) Object.assign(target, JSON.parse(json()));
    isRead = true;
    return target;
  };
  const carried = new Proxy(target, {
    get: (_, name) => (typeof name === 'string' && isAsked(name) ? undefined : read()[name as string]),
    has: (_, name) => name in read(),
    ownKeys: () => Reflect.ownKeys(read()),
    getOwnPropertyDescriptor: (_, name) => Reflect.getOwnPropertyDescriptor(read(), name),
  });
  if (bytes !== undefined) texts.set(carried, bytes);
  return carried;
}

/** The JSON of an object that is carried, where it is at hand. */
export const carriedText = (value: object): Uint8Array | undefined => texts.get(value);

const utf8 = new TextEncoder();

const bytesOf = (part: string | Uint8Array): Uint8Array => (typeof part === 'string' ? utf8.encode(part) : part);

/** Texts and bytes behind each other: text where all are. */
export function joined(parts: readonly (string | Uint8Array)[]): string | Uint8Array {
  if (parts.every((part) => typeof part === 'string')) return parts.join('');
  const bytes = parts.map(bytesOf);
  const whole = new Uint8Array(bytes.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of bytes) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
