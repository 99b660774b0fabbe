"""The client and the reward functions before a real `atoll serve`."""

import asyncio
import os
import subprocess
import tempfile
import unittest

import atoll_reward.trl
import atoll_reward.verl
from atoll_reward import AsyncClient, Client, NoVerdict, Patience, Refused
from served import TASK, Served, reply, starter

RIGHT = starter()
BROKEN = RIGHT + "\nint ;;; ="
VERIFY = {"task": TASK, "level": "verify"}


class RealServer(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = Served()
        cls.client = Client(cls.server.url)

    @classmethod
    def tearDownClass(cls):
        cls.client.close()
        cls.ended_with = cls.server.end()
        assert cls.ended_with == 0, cls.ended_with

    def test_one_candidate(self):
        job = self.client.evaluate(source=RIGHT, **VERIFY)
        self.assertEqual((job["outcome"], job["correct"], job["state"]), ("passed", True, "done"))
        self.assertEqual(self.client.evaluate(source=BROKEN, **VERIFY)["outcome"], "compile_error")

    def test_a_measured_candidate_has_a_score(self):
        job = self.client.evaluate(task=TASK, source=RIGHT, scores=["light"])
        self.assertGreater(job["scores"]["light"], 0)

    def test_a_batch(self):
        results = self.client.batch([{"source": RIGHT, **VERIFY}, {"task": "none such", "source": ""},
                                     {"reply": reply(BROKEN), **VERIFY}, {"reply": "no code", **VERIFY}])
        self.assertEqual([results[0]["outcome"], results[2]["outcome"], results[3]["outcome"]],
                         ["passed", "compile_error", "rejected"])
        self.assertIsInstance(results[1], Refused)
        self.assertEqual(results[1].code, "unknown_task")

    def test_coroutines(self):
        async def ask():
            client = AsyncClient(self.server.url)
            return await asyncio.gather(client.evaluate(source=RIGHT, **VERIFY), client.tasks(),
                                        client.batch([{"source": RIGHT, **VERIFY}, {"source": BROKEN, **VERIFY}]))

        job, tasks, batch = asyncio.run(ask())
        self.assertEqual(job["outcome"], "passed")
        self.assertEqual([task["name"] for task in tasks], [TASK])
        self.assertEqual([one["outcome"] for one in batch], ["passed", "compile_error"])

    def test_facts(self):
        self.assertIn("launch(", self.client.task(TASK)["kinds"][0]["contract"])
        self.assertEqual(self.client.devices()["devices"][0]["name"], "cpu")
        with self.assertRaises(Refused):
            self.client.task("none such")

    def test_each_place_can_name_the_task(self):
        function = atoll_reward.trl.reward_function(client=self.client, level="verify")
        chat = [{"role": "system", "content": f"<atoll>{TASK}</atoll>"}, {"role": "user", "content": "Write it."}]
        rewards = function(prompts=["p", "p", chat, chat],
                           completions=[reply(RIGHT)] * 3 + [[{"role": "assistant", "content": reply(BROKEN)}]],
                           label=[TASK, "", None, None], metadata=[None, {"atoll": {"task": TASK}}, {}, {}])
        self.assertEqual(rewards, [1.0, 1.0, 1.0, 0.0])

    def test_verl(self):
        result = asyncio.run(atoll_reward.verl.compute_score("k", reply(RIGHT), TASK, {}, url=self.server.url,
                                                             level="verify"))
        self.assertEqual((result["score"], result["correct"]), (1.0, 1.0))


class TlsServer(unittest.TestCase):
    def test_both_clients_check_the_certificate(self):
        with tempfile.TemporaryDirectory() as folder:
            cert, key = os.path.join(folder, "cert.pem"), os.path.join(folder, "key.pem")
            subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                            "-days", "2", "-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1",
                            "-keyout", key, "-out", cert], check=True, capture_output=True)
            server = Served("--tls-cert", cert, "--tls-key", key)
            self.addCleanup(server.end)
            self.assertTrue(server.url.startswith("https://"), server.url)
            with Client(server.url, cafile=cert) as client:
                self.assertEqual(client.tasks()[0]["name"], TASK)
            self.assertEqual(asyncio.run(AsyncClient(server.url, cafile=cert).tasks())[0]["name"], TASK)
            impatient = Patience(total=0.0)
            with Client(server.url, patience=impatient) as client, self.assertRaises(NoVerdict):
                client.tasks()
            with self.assertRaises(NoVerdict):
                asyncio.run(AsyncClient(server.url, patience=impatient).tasks())


class DeadServer(unittest.TestCase):
    def test_a_server_that_died_gives_no_reward(self):
        server = Served()
        client = Client(server.url, patience=Patience(total=0.0))
        self.addCleanup(client.close)
        self.assertEqual(client.evaluate(source=RIGHT, **VERIFY)["outcome"], "passed")
        server.end(kill=True)
        with self.assertRaises(NoVerdict):
            client.evaluate(source=RIGHT, **VERIFY)
        function = atoll_reward.trl.reward_function(client=client, **VERIFY)
        with self.assertLogs("atoll_reward.trl", "WARNING"):
            self.assertEqual(function(["p"], [reply(RIGHT)]), [None])


if __name__ == "__main__":
    unittest.main()
