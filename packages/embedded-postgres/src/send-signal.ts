/**
 * Sends a signal to a process, which may have ended since somebody looked.
 * @param pid negative: the process group of that id
 * @returns whether there was one
 * @throws {Error} when it may not be signalled
 */
export function sendSignal(pid: number, signal: NodeJS.Signals): boolean {
  try {
    return process.kill(pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
    return false;
  }
}
