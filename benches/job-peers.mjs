// graphile-worker and pg-boss: QUEUE URL WORKERS JOBS. Prints jobs per second, from the first that is made to the last that is
// done. Workers are processes of their own: `QUEUE URL worker`.
import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import pg from "pg";

const [queue, url, workers, jobs] = process.argv.slice(2);

const queues = {
  // As its documentation says for many small jobs: a queue of its own in each process, completed in batches.
  "graphile-worker": {
    async work() {
      const { run } = await import("graphile-worker");
      await run({ connectionString: url, noHandleSignals: true, taskList: { nothing: async () => {} }, preset: { worker: { concurrentJobs: 24, maxPoolSize: 26, pollInterval: 1000, localQueue: { size: 500 }, completeJobBatchDelay: 0, failJobBatchDelay: 0 } } });
    },
    async prepare() {
      const { runMigrations } = await import("graphile-worker");
      await runMigrations({ connectionString: url });
    },
    make: "SELECT graphile_worker.add_jobs(ARRAY(SELECT json_populate_record(NULL::graphile_worker.job_spec, json_build_object('identifier', 'nothing', 'payload', '{}'::json)) FROM generate_series(1, $1::int)))",
    left: "SELECT count(*)::int AS n FROM graphile_worker.jobs",
  },
  "pg-boss": {
    async work() {
      const { default: PgBoss } = await import("pg-boss");
      const boss = new PgBoss(url);
      await boss.start();
      await boss.work("nothing", { batchSize: 1000, pollingIntervalSeconds: 0.5 }, async () => {});
    },
    async prepare() {
      const { default: PgBoss } = await import("pg-boss");
      const boss = new PgBoss(url);
      await boss.start();
      await boss.createQueue("nothing");
      this.boss = boss;
    },
    async insert(count) {
      for (let from = 0; from < count; from += 1000) {
        await this.boss.insert(Array.from({ length: Math.min(1000, count - from) }, () => ({ name: "nothing", data: {} })));
      }
    },
    left: "SELECT count(*)::int AS n FROM pgboss.job WHERE state < 'completed' AND name = 'nothing'",
  },
};

const one = queues[queue];
if (workers === "worker") {
  await one.work();
} else {
  await one.prepare();
  const client = new pg.Client(url);
  await client.connect();
  const ended = async () => {
    while ((await client.query(one.left)).rows[0].n > 0) await new Promise((done) => setTimeout(done, 20));
  };
  const make = async (count) => (one.insert ? one.insert(count) : client.query(one.make, [count]));
  const running = Array.from({ length: Number(workers) }, () => spawn(process.execPath, [fileURLToPath(import.meta.url), queue, url, "worker"], { stdio: ["ignore", "ignore", "inherit"] }));
  // The first ones warm everybody.
  await make(500);
  await ended();
  const started = performance.now();
  await make(Number(jobs));
  await ended();
  console.log(Math.round((Number(jobs) / (performance.now() - started)) * 1000));
  running.forEach((worker) => worker.kill("SIGKILL"));
  process.exit(0);
}
