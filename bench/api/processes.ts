import { freePort } from '@tandem/embedded-postgres';
import { Service } from './service.ts';

/** Processes that share one pair of stores, as an operator starts them by hand, in `postgres-primary`. */
export class Processes {
  readonly apis: readonly Service[];
  readonly #workers: readonly Service[];

  private constructor(apis: readonly Service[], workers: readonly Service[]) {
    this.apis = apis;
    this.#workers = workers;
  }

  /** The folder and the database are in `postgres-primary` already. */
  static async start(
    folder: string,
    databaseUrl: string,
    count: { readonly apis: number; readonly workers: number },
  ): Promise<Processes> {
    const variables = {
      ...{ DATA_DIR: folder, DATABASE_URL: databaseUrl },
      ...{ FF_USE_DATABASE_STORAGE: 'true', FF_DUAL_WRITE_ENABLED: 'true' },
    };
    const workers: Service[] = [];
    const apis: Service[] = [];
    for (let n = 0; n < count.workers; n++) {
      const port = String(await freePort());
      const own = { ...variables, WORKER_PORT: port };
      workers.push(
        await Service.start('apps/worker/src/main.ts', own, /"(?:msg|message)":"([^"]+)/),
      );
    }
    for (let n = 0; n < count.apis; n++) {
      const says = /listening at (http:[^"\s]+)[\s\S]*Serving in postgres-primary/;
      apis.push(await Service.start('apps/api/src/server.ts', variables, says));
    }
    return new Processes(apis, workers);
  }

  async stop(): Promise<void> {
    for (const service of [...this.apis, ...this.#workers]) await service.stop();
  }
}
