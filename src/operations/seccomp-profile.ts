/** What the recorder has seen becomes a profile: the hidden command that it runs in the end. */
import { fail } from '../errors/error.js';
import { errnoOf, readSome, writeAtomically } from '../host/files.js';
import { openLibseccomp } from '../linux/seccomp/libseccomp.js';
import { parseRecorded, type Recorded, renderRecorded } from '../linux/seccomp/recorded.js';
import { seccompArchs, x32Bit } from '../tables/seccomp.js';

/** As record.c leaves them: four times an architecture (libseccomp's token) and a bit for each of 1024 calls; behind them an earlier profile. */
const kindBytes = 4 + 128;
const notesBytes = 4 * kindBytes;

/** Everything on standard input. */
function readNotes(): Uint8Array {
  const parts: number[] = [];
  for (;;) {
    const part = readSome(0, 65536);
    if (part.length === 0) return Uint8Array.from(parts);
    for (const byte of part) parts.push(byte);
  }
}

/** Names and architectures, and what was seen and has no name. */
function readCalls(notes: Uint8Array): Recorded & { nameless: string[] } {
  const library = openLibseccomp();
  const names = new Set<string>();
  const architectures = new Set<string>();
  const nameless: string[] = [];
  const view = new DataView(notes.buffer, notes.byteOffset, notes.byteLength);
  for (let at = 0; at < notesBytes; at += kindBytes) {
    const token = view.getUint32(at, true);
    const arch = [...seccompArchs].find(([, row]) => row.token === token)?.[0];
    if (arch === undefined) continue;
    architectures.add(arch);
    for (let number = 0; number < 1024; number++) {
      if (!((notes[at + 4 + (number >> 3)]! >> (number & 7)) & 1)) continue;
      const name = library.nameOf(token, arch === 'SCMP_ARCH_X32' ? x32Bit + number : number);
      if (name === undefined) nameless.push(`${number} (${arch})`);
      else names.add(name);
    }
  }
  return { names, architectures, nameless };
}

/** Writes the profile into the working directory; returns what is to be said about it, or ''. @throws TsrunError */
export function writeProfile(file: string): string {
  const notes = readNotes();
  const seen = readCalls(notes);
  const earlier = parseRecorded(new TextDecoder().decode(notes.subarray(notesBytes)));
  const text = renderRecorded({
    names: new Set([...seen.names, ...(earlier?.names ?? [])]),
    architectures: new Set([...seen.architectures, ...(earlier?.architectures ?? [])]),
    errno: earlier?.errno,
  });
  try {
    writeAtomically(file, text, 0o644);
  } catch (error) {
    fail('TSR_RECORD_FAILED', `cannot write the recorded seccomp profile '${file}'`, { errno: errnoOf(error) });
  }
  if (seen.nameless.length === 0) return '';
  return `this libseccomp has no name for the system calls ${seen.nameless.join(', ')}: they are not in the seccomp profile`;
}
