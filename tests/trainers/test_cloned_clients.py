"""The clients of trainers that no package index has, from clones at fixed commits, before a real `atoll serve`.

tests/trainers/run puts the files into $ATOLL_CLONES; what it could not get is skipped.
"""

import asyncio
import concurrent.futures
import os
import threading
import types
import unittest

from own_client import BROKEN, RIGHT, OwnClient, load_file, stand_in
from served import TASK, Served, reply

CLONES = os.environ.get("ATOLL_CLONES", "")
SLIME = os.path.join(CLONES, "slime", "slime/rollout/rm_hub/__init__.py")
KERNELGYM = os.path.join(CLONES, "kernelgym", "drkernel/kernel/rewards/reward_client.py")


@unittest.skipUnless(os.path.exists(SLIME), "there is no clone of slime")
class Slime(OwnClient):
    """remote_rm() and what calls it, with the module's own session and retries."""

    def module(self):
        hub = "slime.rollout.rm_hub"
        functions = {"deepscaler": "get_deepscaler_rule_based_reward", "f1": "f1_score", "gpqa": "compute_gpqa_reward",
                     "math_dapo_utils": "compute_score"}
        others = {f"{hub}.{name}": stand_in(name, **{function: None}) for name, function in functions.items()}
        others[f"{hub}.math_utils"] = stand_in("math_utils", extract_answer=None, grade_answer_verl=None)
        return load_file(SLIME, {
            "slime": stand_in("slime"), "slime.utils": stand_in("slime.utils"),
            "slime.utils.misc": stand_in("misc", load_function=None), "slime.utils.types": stand_in("types", Sample=object),
            **others}, hub)

    def sample(self, source, label=TASK, prompt="Write it."):
        return types.SimpleNamespace(prompt=prompt, response=reply(source), label=label, metadata={}, custom_rm_path=None)

    def rewards(self, samples, url="/rm?level=verify", server=None):
        module = self.module()
        args = types.SimpleNamespace(rm_url=(server or self.server).url + url, rm_type="remote_rm", custom_rm_path=None)

        async def run():
            try:
                return await module.batched_async_rm(args, samples)
            finally:
                await module._get_shared_session().close()

        return asyncio.run(run())

    def test_a_group(self):
        chat = [{"role": "system", "content": f"<atoll>{TASK}</atoll> You write kernels."},
                {"role": "user", "content": "Write it."}]
        samples = [self.sample(RIGHT), self.sample(BROKEN), self.sample(RIGHT, label=None, prompt=chat)]
        self.assertEqual(self.rewards(samples), [1.0, 0.0, 1.0])

    def test_a_score_above_correctness(self):
        self.assertGreater(self.rewards([self.sample(RIGHT)], "/rm?score=speedup")[0], 0.2)

    def test_more_than_the_queue_takes_have_rewards_all_the_same(self):
        small = Served("--queue", "1")
        try:
            sources = [f"{RIGHT}\n// {number}" for number in range(6)]
            self.assertEqual(self.rewards([self.sample(source) for source in sources], server=small), [1.0] * 6)
        finally:
            small.end()

    def test_no_answer_in_time_is_asked_for_again(self):
        hasty = Served("--answer-within", "0.1")
        try:
            self.assertEqual(self.rewards([self.sample(RIGHT)], server=hasty), [1.0])
        finally:
            hasty.end()


class Threads:
    """Of Ray what the client uses: actors whose methods run in threads."""

    def __init__(self):
        self._pool = concurrent.futures.ThreadPoolExecutor(32)
        self._named = {}
        self._lock = threading.RLock()  # actors make actors

    def remote(self, made):
        ray = self

        class Method:
            def __init__(self, function):
                self._function = function

            def remote(self, *args):
                return ray._pool.submit(self._function, *args)

        class Actor:
            def __init__(self, thing):
                self._thing = thing

            def __getattr__(self, name):
                return Method(getattr(self._thing, name))

        class Maker:
            def __init__(self, name=None):
                self._name = name

            def options(self, name=None, **_):
                return Maker(name)

            def remote(self, *args):
                with ray._lock:
                    if self._name is None:
                        return Actor(made(*args))
                    if self._name not in ray._named:
                        ray._named[self._name] = Actor(made(*args))
                    return ray._named[self._name]

        return Maker()

    @staticmethod
    def wait(futures, num_returns=1, timeout=None):
        done = concurrent.futures.wait(futures, timeout, concurrent.futures.FIRST_COMPLETED).done
        first = [future for future in futures if future in done][:num_returns]
        return first, [future for future in futures if future not in first]

    @staticmethod
    def get(future):
        return future.result()


class Bucket:
    def __init__(self, limit):
        self._places = threading.Semaphore(limit)

    def acquire(self):
        self._places.acquire()

    def release(self):
        self._places.release()

    def get_current_count(self):
        return 0


class Penalties(dict):
    penalty_score = -1.0


@unittest.skipUnless(os.path.exists(KERNELGYM), "there is no clone of KernelGYM")
class KernelGym(OwnClient):
    """KernelRewardClient: it sends, polls and makes rewards of what it is told."""

    def client(self, server=None, **more):
        ray = Threads()
        module = load_file(KERNELGYM, {
            "ray": stand_in("ray", remote=ray.remote, wait=ray.wait, get=ray.get, ObjectRef=object),
            "verl": stand_in("verl"), "verl.tools": stand_in("verl.tools"),
            "verl.tools.sandbox_fusion_tools": stand_in("sandbox_fusion_tools", TokenBucketWorker=ray.remote(Bucket))})
        # As drkernel/kernel/config/kernel_trainer.yaml has them, but for the 14B recipe's coverage reward.
        config = {"server_url": (server or self.server).url, "timeout": 1800, "task_timeout_in_client": 1800,
                  "max_retries": 3, "rate_limit": 64, "max_concurrent": 64, "acquire_timeout": 2400,
                  "reward_func_name": "calculate_reward_weighted", "init_correct_weight": 0.5,
                  "init_performance_weight": 0.5, "speedup_eps": 0.01, "speedup_reward_upper_bound": 3.0,
                  "speedup_reward_lower_bound": 0.0, "reward_policy": types.SimpleNamespace(penalties=Penalties()),
                  "coverage_reward": types.SimpleNamespace(enable=True, weight=0.25, reward_type="time_coverage")}
        client = module.KernelRewardClient(reward_config=types.SimpleNamespace(**{**config, **more}))
        self.addCleanup(client._worker._thing._client.close)
        return client

    def task(self, source):
        return {"kernel_code": f"// class ModelNew\n{source}",
                "reference_code": f"# <atoll>{TASK}</atoll>\nclass Model:\n    pass\n"}

    def rewards(self, client, *sources):
        return asyncio.run(client.compute_batch_rewards([self.task(source) for source in sources]))

    def test_a_batch(self):
        right, broken = self.rewards(self.client(), RIGHT, BROKEN)
        # 0.5 for a right one, 0.25 for kernels of its own, 0.5 where it was faster than the starter, which it is.
        self.assertIn(round(right["score"], 6), (0.75, 1.25))
        self.assertTrue(right["success"])
        self.assertGreater(right["speedup"], 0.2)
        self.assertGreater(right["custom_kernel_cuda_time_in_profiling_us"], 0)
        self.assertEqual((broken["score"], broken["compiled"], broken["status"]), (0.0, False, "completed"))

    def test_tiers(self):
        client = self.client(reward_func_name="calculate_reward_like_kernel")
        right, broken = self.rewards(client, RIGHT, BROKEN)
        self.assertGreaterEqual(right["reward"], -0.1)
        self.assertEqual(broken["reward"], -0.5)

    def test_what_is_not_ready_is_polled(self):
        hasty = Served("--answer-within", "0.1")
        try:
            right, = self.rewards(self.client(hasty), RIGHT)
            self.assertTrue(right["success"])
        finally:
            hasty.end()

    def test_more_than_the_queue_takes_have_rewards_all_the_same(self):
        small = Served("--queue", "1")
        try:
            told = self.rewards(self.client(small), *[f"{RIGHT}\n// {number}" for number in range(4)])
            self.assertEqual([one["success"] for one in told], [True] * 4)
        finally:
            small.end()

    def test_one_task_by_itself(self):
        client = self.client()
        payload = {**self.task(RIGHT), "task_id": "alone", "backend": "triton", "timeout": 600}
        told = client._worker.submit_and_poll.remote(payload, 600, 3).result()
        self.assertEqual((told["status"], told["task_id"], told["correctness"]), ("completed", "alone", True))


if __name__ == "__main__":
    unittest.main()
