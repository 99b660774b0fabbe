"""What README.md and tools/python/README.md tell trainers' users to type, before a real `atoll serve`: as written, but for the
port, and with stand-ins for the trainers (their own code: tests/trainers)."""

import asyncio
import json
import os
import re
import subprocess
import sys
import tempfile
import types
import unittest
import urllib.request
from unittest import mock

from served import ROOT, TASK, Served, reply, starter

RIGHT = starter()
WRITTEN_URL = "http://127.0.0.1:8000"


def read(name):
    with open(os.path.join(ROOT, name), encoding="utf-8") as file:
        return file.read()


def section(text, trainer):
    """From its name in bold to the next one."""
    found = re.search(r"\*\*" + re.escape(trainer) + r".*?(?=\n\*\*|\n## |\Z)", text, re.S)
    if not found:
        raise AssertionError(f"README.md has nothing on {trainer}")
    return found.group()


def python_in(text):
    return "\n".join(re.findall(r"```python\n(.*?)```", text, re.S))


def module(name, **members):
    made = types.ModuleType(name)
    made.__dict__.update(members)
    return made


class Readme(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = Served()
        text = read("README.md")
        cls.text = text[text.index("### Use it from your trainer"):]

    @classmethod
    def tearDownClass(cls):
        cls.server.end()

    def typed(self, text):
        return text.replace(WRITTEN_URL, self.server.url)

    def run_python(self, text, names, modules):
        with mock.patch.dict(sys.modules, {one.__name__: one for one in modules}):
            exec(compile(self.typed(python_in(text)), "README.md", "exec"), names)
        return names

    def post(self, url, body):
        with urllib.request.urlopen(url, data=json.dumps(body).encode(), timeout=300) as answer:
            return json.load(answer)

    def url_in(self, trainer):
        return self.typed(re.search(r"http://127\.0\.0\.1:8000[^\s\"]*", section(self.text, trainer)).group())

    def test_openrlhf(self):
        body = {"query": ["P" + reply(RIGHT)], "prompts": ["P"], "labels": [TASK]}
        self.assertGreater(self.post(self.url_in("OpenRLHF"), body)["rewards"][0], 0)

    def test_slime(self):
        body = {"prompt": "P", "response": reply(RIGHT), "label": TASK}
        self.assertGreater(self.post(self.url_in("slime"), body), 0)

    def test_trl(self):
        seen = []

        class GRPOTrainer:
            def __init__(self, model, reward_funcs, args, train_dataset):
                self.functions = reward_funcs

            def train(self):
                seen.extend(self.functions[0](prompts=["P"], completions=[reply(RIGHT)], completion_ids=[[1]],
                                              label=[TASK], trainer_state=None))

        self.run_python(section(self.text, "TRL"), {"model": None, "args": None, "dataset": None},
                        [module("trl", GRPOTrainer=GRPOTrainer)])
        self.assertGreater(seen[0], 0)

    def test_verl(self):
        text = section(self.text, "verl")
        command = re.search(r"\$\((python3 -m atoll_reward\.verl)\)", text).group(1).replace("python3", sys.executable)
        path = subprocess.run(command.split(), capture_output=True, text=True, check=True).stdout.strip()
        name = re.search(r"custom_reward_function\.name=(\w+)", text).group(1)
        scope = {}
        with open(path, encoding="utf-8") as file:
            exec(compile(file.read(), path, "exec"), scope)
        url = self.typed(re.search(r"reward_kwargs\.url=(\S+)", text).group(1))
        result = asyncio.run(scope[name]("k", reply(RIGHT), TASK, {}, url=url))
        self.assertGreater(result["score"], 0)

    def test_skyrl(self):
        seen = {}
        base = module("skyrl_gym.envs.base_text_env", BaseTextEnv=object, BaseTextEnvStepOutput=dict)
        self.addCleanup(sys.modules.pop, "atoll_reward.skyrl", None)
        self.run_python(section(self.text, "SkyRL"), {},
                        [module("skyrl_gym"), base,
                         module("skyrl_gym.envs", register=lambda id, entry_point: seen.update({id: entry_point}))])
        package, name = seen["atoll"].split(":")
        with mock.patch.dict(sys.modules, {"skyrl_gym.envs.base_text_env": base}):
            self.assertTrue(callable(getattr(__import__(package, fromlist=[name]), name)))

    def test_verifiers(self):
        class Rubric:
            def __init__(self, funcs, weights):
                self.funcs = funcs

        class SingleTurnEnv:
            def __init__(self, dataset, rubric):
                self.rubric = rubric

        names = self.run_python(section(self.text, "verifiers"), {"dataset": None},
                                [module("verifiers", Rubric=Rubric, SingleTurnEnv=SingleTurnEnv)])
        self.assertEqual(len(names["environment"].rubric.funcs), 2)

    def test_nemo_gym(self):
        with mock.patch("os.execvp") as started:
            self.run_python(section(self.text, "NeMo Gym"), {}, [])
        (program, arguments), _ = started.call_args
        self.assertEqual((program, arguments[:3]), ("atoll", ["atoll", "serve", "--http"]))
        place = re.search(r"host: (\S+), port: (\d+)", section(self.text, "NeMo Gym"))
        self.assertEqual(":".join(place.groups()), arguments[3])
        line = re.search(r"^    curl -s localhost:8000(\S+) +# (\S+):", section(self.text, "NeMo Gym"), re.M)
        with urllib.request.urlopen(self.server.url + line.group(1), timeout=60) as answer:
            self.assertEqual(answer.read().decode(), line.group(2))

    def test_kernelgym(self):
        tag = re.search(r"`(# <atoll>\w+</atoll>)`", section(self.text, "KernelGYM")).group(1)
        body = {"task_id": "t", "kernel_code": RIGHT, "reference_code": tag, "measure_performance": False}
        self.assertIs(self.post(self.server.url + "/evaluate", body)["correctness"], True)

    def test_the_client(self):
        names = {"replies": [reply(RIGHT)]}
        with tempfile.TemporaryDirectory() as folder:
            here = os.getcwd()
            os.chdir(folder)
            try:
                with open("mine.cpp", "w", encoding="utf-8") as file:
                    file.write(RIGHT)
                with mock.patch("builtins.print"):
                    self.run_python(read("tools/python/README.md"), names, [])
            finally:
                os.chdir(here)
        self.assertEqual([names["job"]["outcome"], names["jobs"][0]["outcome"]], ["passed", "passed"])


if __name__ == "__main__":
    unittest.main()
