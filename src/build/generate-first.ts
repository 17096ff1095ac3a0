// The wire between TypeScript and C, before anything else is generated: the other generators load modules that import it.
import { generateWire } from './generate-wire.js';
import { writeIfStale } from './generated-file.js';

for (const file of generateWire()) writeIfStale(file);
