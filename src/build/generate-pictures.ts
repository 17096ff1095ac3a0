/** The pictures of the documents that are drawn; those that are measured or photographed are of conformance/bench. */
import type { GeneratedFile } from './generated-file.js';
import { architecturePicture } from './pictures/architecture.js';
import { executorRoomsPicture } from './pictures/executor-rooms.js';
import { cablePicture, rootPicture } from './pictures/learn.js';

export const generatePictures = (): GeneratedFile[] => [
  { path: 'docs/architecture.svg', text: architecturePicture() },
  { path: 'docs/executor.svg', text: executorRoomsPicture() },
  { path: 'docs/learn-root.svg', text: rootPicture() },
  { path: 'docs/learn-cable.svg', text: cablePicture() },
];
