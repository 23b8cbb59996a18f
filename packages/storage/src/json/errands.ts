import type { Errand } from './ask-holder.ts';
import { layoutOf } from './layout.ts';

/** Bringing the checkpoint files up. */
export const checkpointErrand = (directory: string): Errand => ({
  what: 'checkpoint',
  request: layoutOf(directory).checkpointRequest,
  answer: layoutOf(directory).checkpointAnswer,
});

/** Adopting or rejecting an external edit; the payload is an `EditOrder`. */
export const editErrand = (directory: string): Errand => ({
  what: 'external-edit',
  request: layoutOf(directory).editRequest,
  answer: layoutOf(directory).editAnswer,
});
