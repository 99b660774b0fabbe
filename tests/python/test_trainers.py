"""The reward functions, called as the trainers call them (the trainers' own code: tests/trainers)."""

import asyncio
import importlib.util
import sys
import types
import unittest
from unittest import mock

from atoll_reward import AsyncClient, Client, NoVerdict, Patience, Refused
from scripted_server import ScriptedServer, answer, job

GONE = {"error": {"code": "draining", "message": "gone", "where": "", "hint": "", "retry_after_s": 1}}
UNKNOWN = {"error": {"code": "unknown_task", "message": "no task", "where": "", "hint": ""}}


def served(script):
    """Requests of a batch or a single one, each answered by `script(request)`: a job or an error."""

    def whole(number, method, path, body):
        if path == "/v1/evaluate":
            told = script(body)
            return answer(200, told) if "state" in told else answer(503 if "retry_after_s" in told["error"] else 422, told)
        lines = []
        for index, request in enumerate(body["requests"]):
            told = script(request)
            lines.append({"index": index, "job": told} if "state" in told else {"index": index, **told})
        return answer(200, chunks=lines)

    return ScriptedServer(whole)


class Trainers(unittest.TestCase):
    def serve(self, script):
        self.server = served(script)
        self.addCleanup(self.server.close)
        self.patience = Patience(total=0.0)  # no second try
        return self.server.url

    def client(self, script):
        client = Client(self.serve(script), patience=self.patience)
        self.addCleanup(client.close)
        return client

    def rewards_by_label(self, request):
        label = request["name_from"]["label"]
        return {"right": job(2.0), "wrong": job(0.0, correct=False), "gone": GONE, "unknown": UNKNOWN}[label]


class Trl(Trainers):
    def function(self, script, **fields):
        from atoll_reward.trl import reward_function

        return reward_function(client=self.client(script), **fields)

    def test_a_fault_of_ours_is_none_and_others_are_numbers(self):
        function = self.function(self.rewards_by_label)
        with self.assertLogs("atoll_reward.trl", "WARNING"):
            rewards = function(prompts=["p"] * 3, completions=["a", [{"role": "assistant", "content": "b"}], "c"],
                               completion_ids=[[1]] * 3, label=["right", "gone", "wrong"], trainer_state=None)
        self.assertEqual(rewards, [2.0, None, 0.0])
        self.assertEqual([one["reply"] for one in self.server.seen[0][2]["requests"]], ["a", "b", "c"])

    def test_a_mistake_in_the_data_ends_training(self):
        with self.assertRaises(Refused):
            self.function(self.rewards_by_label)(["p"], ["a"], label=["unknown"])

    def test_task_and_score_may_be_given_once(self):
        function = self.function(lambda request: job(1.0), task="softmax", score="light")
        self.assertEqual(function(["p"], ["a"]), [1.0])
        request = self.server.seen[0][2]["requests"][0]
        self.assertEqual((request["task"], request["scores"]), ("softmax", ["light"]))


class Verl(Trainers):
    def load(self):
        """As verl does: by the file's path."""
        import atoll_reward.verl
        from atoll_reward.client import shared_client

        self.addCleanup(shared_client.cache_clear)
        spec = importlib.util.spec_from_file_location("custom_module", atoll_reward.verl.__file__)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module

    def test_one_sample_is_a_dict_with_its_score(self):
        url = self.serve(self.rewards_by_label)
        result = asyncio.run(self.load().compute_score(
            data_source="kernels", solution_str="a", ground_truth="right",
            extra_info={"num_turns": None, "rollout_reward_scores": {}}, reward_router_address=None,
            reward_model_tokenizer=None, url=url))
        self.assertEqual(result, {"score": 2.0, "correct": 1.0, "seconds": 0.25})

    def test_a_batch_is_asked_at_once(self):
        url = self.serve(self.rewards_by_label)
        results = self.load().compute_scores(data_sources=["k"] * 2, solution_strs=["a", "b"],
                                             ground_truths=["right", "wrong"], extra_infos=[{}, {}], url=url)
        self.assertEqual([one["score"] for one in results], [2.0, 0.0])
        self.assertEqual(len(self.server.seen), 1)

    def test_no_verdict_is_no_zero(self):
        url = self.serve(self.rewards_by_label)
        with self.assertRaises(NoVerdict):
            asyncio.run(self.load().compute_score("k", "a", "gone", url=url, patience_s=0.0))
        with self.assertRaises(NoVerdict):
            self.load().compute_scores(["k"], ["a"], ["gone"], url=url, patience_s=0.0)


class SkyRl(Trainers):
    def setUp(self):
        class BaseTextEnv:
            def __init__(self):
                self.turns, self.max_turns = 0, 1

        base = types.ModuleType("skyrl_gym.envs.base_text_env")
        base.BaseTextEnv, base.BaseTextEnvStepOutput = BaseTextEnv, dict
        names = {"skyrl_gym": types.ModuleType("skyrl_gym"), "skyrl_gym.envs": types.ModuleType("skyrl_gym.envs"),
                 "skyrl_gym.envs.base_text_env": base}
        patch = mock.patch.dict(sys.modules, names)
        patch.start()
        self.addCleanup(patch.stop)
        self.addCleanup(sys.modules.pop, "atoll_reward.skyrl", None)

    def environment(self, script, **extras):
        from atoll_reward.skyrl import AtollEnv

        return AtollEnv({"score": "light"}, {"reward_spec": {"ground_truth": "right"}, **extras},
                        client=self.client(script))

    def test_one_turn(self):
        env = self.environment(self.rewards_by_label)
        prompt = [{"role": "user", "content": "q"}]
        self.assertEqual(env.init(prompt), (prompt, {}))
        step = env.step("a")
        self.assertEqual((step["reward"], step["done"], step["observations"]), (2.0, True, []))
        request = self.server.seen[0][2]
        self.assertEqual((request["scores"], request["turn"]), (["light"], 0))
        self.assertEqual(request["name_from"]["prompt"], prompt)
        self.assertEqual(env.get_metrics()["correct"], 1.0)

    def test_a_wrong_candidate_is_told_why_until_turns_are_over(self):
        env = self.environment(lambda request: job(0.0, correct=False, feedback="look again"), max_turns=2)
        env.init([])
        step = env.step("a")
        self.assertEqual((step["done"], step["observations"]), (False, [{"role": "user", "content": "look again"}]))
        self.assertTrue(env.step("b")["done"])

    def test_no_verdict_is_no_zero(self):
        with self.assertRaises(NoVerdict):
            self.environment(lambda request: GONE).step("a")


class Verifiers(Trainers):
    def setUp(self):
        class Rubric:  # as that of verifiers 0.1.14: what a function raises becomes 0.0
            def __init__(self, funcs, weights):
                self.funcs, self.weights = funcs, weights

            async def score_rollout(self, state):
                total = 0.0
                for function, weight in zip(self.funcs, self.weights):
                    try:
                        total += weight * float(function(state=state, completion=state["completion"]))
                    except Exception:
                        pass
                state["reward"] = total

            async def score_group(self, states):
                for state in states:
                    await Rubric.score_rollout(self, state)

        class InfraError(Exception):
            pass

        module = types.ModuleType("verifiers")
        module.Rubric, module.InfraError = Rubric, InfraError
        patch = mock.patch.dict(sys.modules, {"verifiers": module})
        patch.start()
        self.addCleanup(patch.stop)
        self.infra = InfraError

    def rubric(self):
        from atoll_reward.verifiers import rubric

        return rubric(client=AsyncClient(self.serve(self.rewards_by_label), patience=self.patience))

    def state(self, label):
        return {"prompt": [{"role": "user", "content": "q"}], "completion": [{"role": "assistant", "content": "a"}],
                "answer": label, "info": {}}

    def test_a_rollout_and_a_group_get_their_rewards(self):
        state = self.state("right")
        asyncio.run(self.rubric().score_rollout(state))
        self.assertEqual(state["reward"], 2.0)
        states = [self.state("right"), self.state("wrong")]
        asyncio.run(self.rubric().score_group(states))
        self.assertEqual([one["reward"] for one in states], [2.0, 0.0])

    def test_no_verdict_is_no_zero(self):
        state = self.state("gone")
        with self.assertRaises(self.infra) as caught:
            asyncio.run(self.rubric().score_rollout(state))
        self.assertIsInstance(caught.exception, NoVerdict)
        self.assertNotIn("reward", state)

    def test_a_coroutine_for_tasks_of_newer_versions(self):
        from atoll_reward.verifiers import reward

        client = AsyncClient(self.serve(self.rewards_by_label), patience=self.patience)
        self.assertEqual(asyncio.run(reward("a", label="right", client=client)), 2.0)
        with self.assertRaises(NoVerdict):
            asyncio.run(reward("a", label="gone", client=client))


if __name__ == "__main__":
    unittest.main()
