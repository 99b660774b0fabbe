"""What talks to a reward server in each trainer, as its package has it, before a real `atoll serve`.

Where a trainer's module cannot be imported without PyTorch or Ray, it is loaded by its file with stand-ins for what it imports
and does not need here.
"""

import ast
import asyncio
import importlib
import logging
import math
import sys
import time
import types
import unittest
from unittest import mock

import numpy

from own_client import BROKEN, PROMPT, RIGHT, OwnClient, file_of, load, parsed, stand_in
from served import TASK, reply

class OpenRlhf(OwnClient):
    def executor(self, *urls):
        agent = load("openrlhf", "openrlhf/utils/agent.py", {
            "openrlhf": stand_in("openrlhf"), "openrlhf.utils": stand_in("openrlhf.utils"),
            "openrlhf.utils.logging_utils": stand_in("logging_utils", init_logger=logging.getLogger)})
        return agent.SingleTurnAgentExecutor(list(urls))

    def test_rewards(self):
        executor = self.executor(self.server.url + "/get_reward?level=verify")
        labels = [TASK, TASK, ""]
        prompts = [PROMPT, PROMPT, PROMPT.replace("You write", f"<atoll>{TASK}</atoll> You write")]
        texts = [reply(RIGHT), reply(BROKEN), reply(RIGHT)]
        queries = [prompt + text + "<|im_end|>" for prompt, text in zip(prompts, texts)]
        results = asyncio.run(executor._fetch_rewards_via_http(queries, prompts, labels))
        self.assertEqual(results[0]["rewards"], [1.0, 0.0, 1.0])
        self.assertEqual(results[0]["extra_logs"]["correct"], [1.0, 0.0, 1.0])
        for values in results[0]["extra_logs"].values():
            numpy.array(values, dtype=numpy.float32)  # as torch.tensor([value]) would want it

    def test_several_servers(self):
        url = self.server.url + "/get_reward?level=verify"
        executor = self.executor(url, url)
        for _ in range(2):
            results = asyncio.run(executor._fetch_rewards_via_http([PROMPT + reply(RIGHT)], [PROMPT], [TASK]))
            self.assertEqual(results[0]["rewards"], [1.0])


class Verl(OwnClient):
    """The function that loads the user's file, and the reward loop's manager that calls it."""

    def test_one_sample_through_the_reward_loop(self):
        import atoll_reward.verl

        class Base:
            def __init__(self, config, tokenizer, compute_score):
                self.tokenizer = tokenizer
                self.loop = asyncio.get_running_loop()

        naive = load("verl", "verl/experimental/reward_loop/reward_manager/naive.py", {
            "verl": stand_in("verl", DataProto=object), "verl.experimental": stand_in("experimental"),
            "verl.experimental.reward_loop": stand_in("reward_loop"),
            "verl.experimental.reward_loop.reward_manager": stand_in("reward_manager",
                                                                     register=lambda name: lambda cls: cls),
            "verl.experimental.reward_loop.reward_manager.base": stand_in("base", RewardManagerBase=Base),
            "verl.utils": stand_in("utils"),
            "verl.utils.reward_score": stand_in("reward_score", default_compute_score=None)})
        # As get_custom_reward_fn() binds reward_kwargs to what it loads.
        source = parsed("verl", "verl/trainer/ppo/reward.py")
        scope = {}
        wanted = [node for node in source.body if getattr(node, "name", "") == "_call_with_kwargs_async"]
        exec(compile(ast.Module(wanted, []), "reward.py", "exec"), scope)
        loaded = load("atoll-reward", atoll_reward.verl.__file__, {}).compute_score
        kwargs = {"url": self.server.url, "level": "verify"}

        async def compute_score(**named):
            return await scope["_call_with_kwargs_async"](loaded, kwargs, **named)

        class Tokenizer:
            def decode(self, ids, skip_special_tokens):
                return bytes(ids.tolist()).decode()

        async def run(text):
            ids = numpy.frombuffer(text.encode(), dtype=numpy.uint8)
            item = types.SimpleNamespace(
                batch={"responses": ids, "attention_mask": numpy.ones(len(ids) + 3, dtype=int)},
                non_tensor_batch={"data_source": "kernels", "reward_model": {"ground_truth": TASK}, "extra_info": {}})
            return await naive.NaiveRewardManager(None, Tokenizer(), compute_score).run_single([item])

        result = asyncio.run(run(reply(RIGHT)))
        self.assertEqual(result["reward_score"], 1.0)
        self.assertEqual(result["reward_extra_info"]["correct"], 1.0)
        self.assertEqual(asyncio.run(run(reply(BROKEN)))["reward_score"], 0.0)


class Trl(OwnClient):
    """GRPOTrainer._calculate_rewards as it stands in the package, on arrays of numpy."""

    def test_rewards_of_a_group(self):
        from atoll_reward import Client, Patience
        from atoll_reward.trl import reward_function

        source = parsed("trl", "trl/trainer/grpo_trainer.py")
        trainer = next(node for node in source.body if getattr(node, "name", "") == "GRPOTrainer")
        method = next(node for node in trainer.body if getattr(node, "name", "") == "_calculate_rewards")
        method.decorator_list = []

        class Missing:
            """torch.isnan() with PyTorch's word for an axis."""

            def __init__(self, values):
                self.values = values

            def all(self, dim):
                return Missing(self.values.all(axis=dim))

            def any(self):
                return self.values.any()

            def nonzero(self, as_tuple):
                return self.values.nonzero()

        torch = types.SimpleNamespace(
            zeros=lambda rows, columns, device: numpy.zeros((rows, columns), dtype=numpy.float32),
            tensor=lambda values, dtype, device: numpy.array(values, dtype=dtype), float32=numpy.float32, nan=math.nan,
            isnan=lambda values: Missing(numpy.isnan(values)))
        scope = {"torch": torch, "nn": types.SimpleNamespace(Module=type("Module", (), {})), "gather": lambda values: values,
                 "is_async_callable": asyncio.iscoroutinefunction, "profiling_context": lambda *_: mock.MagicMock(),
                 "logger": logging.getLogger("trl")}
        exec(compile(ast.Module([method], []), "grpo_trainer.py", "exec"), scope)
        client = Client(self.server.url, patience=Patience(total=0.0))
        gone = Client("http://127.0.0.1:9", patience=Patience(total=0.0))
        functions = [reward_function(client=client, level="verify"), reward_function(client=gone, level="verify")]
        fake = types.SimpleNamespace(
            accelerator=types.SimpleNamespace(device="cpu"), reward_funcs=functions, reward_processing_classes=[None] * 2,
            reward_func_names=["atoll", "gone"], state=None, environments=None, _log_completion_extra=None,
            _log_metric=None)
        chat = [{"role": "user", "content": "Write it."}]
        completions = [[{"role": "assistant", "content": reply(source)}] for source in (RIGHT, BROKEN)]
        inputs = [{"prompt": chat, "label": TASK}] * 2
        rewards = scope["_calculate_rewards"](fake, inputs, [chat] * 2, completions, [[1], [2]])
        self.assertEqual(rewards[:, 0].tolist(), [1.0, 0.0])
        self.assertTrue(numpy.isnan(rewards[:, 1]).all())  # of a dead server: no reward, and no zero
        client.close()


class SkyRl(OwnClient):
    def test_two_turns(self):
        import skyrl_gym
        from skyrl_gym.envs.registration import register

        register(id="atoll", entry_point="atoll_reward.skyrl:AtollEnv")
        env = skyrl_gym.make("atoll", env_config={"url": self.server.url, "level": "verify"},
                             extras={"reward_spec": {"ground_truth": TASK}, "max_turns": 3})
        prompt = [{"role": "user", "content": "Write it."}]
        self.assertEqual(env.init(prompt)[0], prompt)
        step = env.step(reply(BROKEN))
        self.assertEqual((step["reward"], step["done"]), (0.0, False))
        self.assertIn("compile_error", step["observations"][0]["content"])
        step = env.step(reply(RIGHT))
        self.assertEqual((step["reward"], step["done"]), (1.0, True))
        env.close()


class Verifiers(OwnClient):
    def state(self, source):
        return {"prompt": [{"role": "user", "content": "Write it."}], "answer": TASK, "info": {}, "trajectory": [],
                "completion": [{"role": "assistant", "content": reply(source)}]}

    def test_a_rubric(self):
        from atoll_reward.verifiers import rubric

        scored = rubric(self.server.url, level="verify")
        states = [self.state(RIGHT), self.state(BROKEN)]
        asyncio.run(scored.score_group(states))
        self.assertEqual([state["reward"] for state in states], [1.0, 0.0])
        self.assertEqual(states[0]["metrics"]["atoll_correct"], 1.0)
        single = self.state(RIGHT)
        asyncio.run(scored.score_rollout(single))
        self.assertEqual(single["reward"], 1.0)

    def test_no_verdict_is_no_zero(self):
        import verifiers
        from atoll_reward import AsyncClient, Patience
        from atoll_reward.verifiers import rubric

        state = self.state(RIGHT)
        gone = AsyncClient("http://127.0.0.1:9", patience=Patience(total=0.0))
        with self.assertRaises(verifiers.InfraError):
            asyncio.run(rubric(client=gone).score_rollout(state))
        self.assertNotIn("reward", state)


class NemoGym(OwnClient):
    def ask(self, method, path, body=None):
        """With the package's own request() and raise_for_status()."""
        import aiohttp
        import orjson

        wanted = ("request", "raise_for_status", "get_response_json")
        source = parsed("nemo-gym", "nemo_gym/server_utils.py")
        functions = [node for node in source.body if getattr(node, "name", "") in wanted]
        names = "ClientOSError ClientResponse ClientResponseError ServerDisconnectedError".split()
        future = ast.parse("from __future__ import annotations").body

        async def run():
            async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout()) as session:
                scope = {name: getattr(aiohttp, name) for name in names}
                scope.update(orjson=orjson, time=time, asyncio=asyncio, get_global_aiohttp_client=lambda: session,
                             MAX_NUM_TRIES=3, _GLOBAL_AIOHTTP_CLIENT_REQUEST_DEBUG=False)
                exec(compile(ast.Module(future + functions, []), "server_utils.py", "exec"), scope)
                more = {} if body is None else {"json": body}
                answer = await scope["request"](method, self.server.url + path, **more)
                await scope["raise_for_status"](answer)
                return await scope["get_response_json"](answer)

        return asyncio.run(run())

    def test_a_rollout(self):
        body = {"responses_create_params": {"input": [{"role": "user", "content": "Write it."}]},
                "response": {"output": [{"type": "message", "role": "assistant",
                                         "content": [{"type": "output_text", "text": reply(RIGHT)}]}]},
                "verifier_metadata": {"atoll": {"task": TASK, "level": "verify"}}}
        self.assertEqual(self.ask("POST", "/seed_session", {"responses_create_params": {}}), {})
        told = self.ask("POST", "/verify", body)
        self.assertEqual(told["reward"], 1.0)
        self.assertEqual({key: told[key] for key in body}, body)
        self.assertEqual(self.ask("GET", "/reverify_mode"), "stateless")

    def test_metrics_are_those_of_its_own_profiler(self):
        import pandas  # noqa: F401  here, since load() forgets what is imported in it

        class Stored:
            def __init__(self, **fields):
                self.__dict__.update(fields)

        index, rollout = "_ng_task_index", "_ng_rollout_index"
        profile = load("nemo-gym", "nemo_gym/reward_profile.py", {
            "wandb": stand_in("wandb", Histogram=lambda data: None), "nemo_gym": stand_in("nemo_gym"),
            "nemo_gym.cli": stand_in("nemo_gym.cli"),
            "nemo_gym.cli._compat": stand_in("nemo_gym.cli._compat", moved_attr_getter=lambda *_: None),
            "nemo_gym.config_types": stand_in("nemo_gym.config_types", AggregateMetrics=Stored,
                                              BaseNeMoGymCLIConfig=object),
            "nemo_gym.global_config": stand_in("nemo_gym.global_config", AGENT_REF_KEY_NAME="agent_ref",
                                               ROLLOUT_INDEX_KEY_NAME=rollout, TASK_INDEX_KEY_NAME=index)})
        rows = [{index: task, rollout: turn, "reward": reward, "correct": reward > 0, "text": "x"}
                for task, rewards in ((0, [0.0, 1.5, 3.0]), (1, [2.0, 2.5, 0.5])) for turn, reward in enumerate(rewards)]
        theirs = profile.compute_aggregate_metrics(rows)
        ours = self.ask("POST", "/aggregate_metrics", {"verify_responses": rows})
        for key, value in theirs.agent_metrics.items():
            self.assertAlmostEqual(ours["agent_metrics"][key], value, places=12, msg=key)
        for key, value in theirs.key_metrics.items():
            self.assertAlmostEqual(ours["key_metrics"][key], value, places=12, msg=key)
        for mine, other in zip(ours["group_level_metrics"], theirs.group_level_metrics):
            for key in [key for key in other if "/" in key or key == index]:
                self.assertAlmostEqual(mine[key], other[key], places=12, msg=key)


class FlashinferBench(OwnClient):
    def test_a_solution_and_its_trace_are_what_the_package_has(self):
        import json
        import urllib.request

        # The package's __init__ wants PyTorch: its data models do not.
        packages = {name: stand_in(name, __path__=[file_of("flashinfer-bench", name.replace(".", "/"))])
                    for name in ("flashinfer_bench", "flashinfer_bench.data")}
        with mock.patch.dict(sys.modules, packages):
            data = {name: importlib.import_module(f"flashinfer_bench.data.{name}") for name in ("solution", "trace")}
        solution = data["solution"].Solution(
            name="mine", definition=TASK, author="me", sources=[{"path": "main.cpp", "content": RIGHT}],
            spec={"language": "cpp", "target_hardware": ["cpu"], "entry_point": "main.cpp::launch"})

        def ask(path, body=None):
            text = None if body is None else json.dumps(body).encode()
            with urllib.request.urlopen(self.server.url + path, data=text, timeout=300) as answer:
                return json.load(answer)

        begun = ask("/evaluate", {"solution": solution.model_dump(mode="json")})
        task = ask(f"/tasks/{begun['task_id']}?timeout=200")
        self.assertEqual(task["status"], "completed")
        traces = [data["trace"].Trace.model_validate(trace) for trace in task["traces"]]
        self.assertTrue(traces and all(trace.is_successful() for trace in traces))
        if hasattr(solution, "with_unique_name"):
            self.assertEqual(begun["normalized_solution_name"], solution.with_unique_name().name)


if __name__ == "__main__":
    unittest.main()
