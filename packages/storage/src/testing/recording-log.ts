import type { Log } from '../log.ts';

interface LogLine {
  readonly level: keyof Log;
  readonly fields: object;
  readonly sentence: string;
}

export interface RecordingLog extends Log {
  readonly lines: readonly LogLine[];
  /** Sentences of one level. */
  sentences(level: keyof Log): readonly string[];
}

/** A log that keeps everything, for tests to look at. */
export function recordingLog(): RecordingLog {
  const lines: LogLine[] = [];
  const at = (level: keyof Log) => (fields: object, sentence: string) => {
    lines.push({ level, fields, sentence });
  };
  return {
    lines,
    sentences: (level) => lines.filter((line) => line.level === level).map((l) => l.sentence),
    debug: at('debug'),
    info: at('info'),
    warn: at('warn'),
    error: at('error'),
  };
}
