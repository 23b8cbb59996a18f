import { sentenceOf } from '@tandem/storage/errors';
import type { Log } from '@tandem/storage/log';
import type { Observer } from '@tandem/storage/observer';

/**
 * Tells several observers, in order. What one of them throws is a defect of measuring, not of the work:
 * it is logged, once, and goes no further.
 */
export function observing(observers: readonly Observer[], log: Log): Observer {
  let isSaid = false;
  const tell = (told: (observer: Observer) => void): void => {
    for (const observer of observers) {
      try {
        told(observer);
      } catch (error) {
        if (!isSaid) log.error({ error: sentenceOf(error) }, 'Something could not be measured');
        isSaid = true;
      }
    }
  };
  return {
    committed: (batch) => tell((observer) => observer.committed(batch)),
    relayed: (batch) => tell((observer) => observer.relayed(batch)),
    applied: (batch) => tell((observer) => observer.applied(batch)),
    failed: (job) => tell((observer) => observer.failed(job)),
    shadowRead: (read) => tell((observer) => observer.shadowRead(read)),
    checkpointed: (checkpoint) => tell((observer) => observer.checkpointed(checkpoint)),
    switched: (move) => tell((observer) => observer.switched(move)),
  };
}
