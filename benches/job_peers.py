"""RQ: SOCKET WORKERS JOBS. Prints jobs per second, from the first that is made to the last that is done."""

import os
import subprocess
import sys
import time

from redis import Redis
from rq import Queue


def nothing():
    """What each job does."""


def main():
    socket, workers, jobs = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    redis = Redis(unix_socket_path=socket)
    redis.flushall()
    here = os.path.dirname(os.path.abspath(__file__))
    rq = os.path.join(os.path.dirname(sys.executable), "rq")
    command = [rq, "worker", "--quiet", "--url", f"unix://{socket}", "--path", here]
    environment = {**os.environ, "PYTHONPATH": here}
    running = [
        subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for _ in range(workers)
    ]
    try:
        queue = Queue(connection=redis)
        warm = queue.enqueue("job_peers.nothing")
        while not warm.is_finished:
            time.sleep(0.05)
        started = time.monotonic()
        queue.enqueue_many([Queue.prepare_data("job_peers.nothing") for _ in range(jobs)])
        while len(queue) > 0 or queue.started_job_registry.count > 0:
            time.sleep(0.01)
        print(round(jobs / (time.monotonic() - started)))
    finally:
        for worker in running:
            worker.terminate()
        for worker in running:
            worker.wait()


if __name__ == "__main__":
    main()
