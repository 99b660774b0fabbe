"""The clients before a server that answers as each test says. No test sleeps: pauses are noted down."""

import asyncio
import os
import unittest

from atoll_reward import AsyncClient, Client, NoVerdict, Patience, Refused, reward_of, sample
from atoll_reward.protocol import text_of
from scripted_server import DROP, ScriptedServer, answer, job

ERROR_503 = {"error": {"code": "no_verdict", "message": "a fault", "where": "job", "hint": "", "retry_after_s": 3}}
ERROR_422 = {"error": {"code": "unknown_task", "message": "no task 'x'", "where": "body: task", "hint": "softmax"}}
FAULT = {"id": "j1", "state": "fault", "fault": {"code": "unavailable", "message": "worker died", "where": "", "hint": ""}}


class Blocking:
    def __init__(self, url, pauses, patience):
        self.client = Client(url, patience=patience, sleep=pauses.append)

    def evaluate(self, **request):
        return self.client.evaluate(**request)

    def batch(self, requests, on_result=None):
        return self.client.batch(requests, on_result)


    def close(self):
        self.client.close()


class Asynchronous:
    def __init__(self, url, pauses, patience):
        async def sleep(seconds):
            pauses.append(seconds)

        self.client = AsyncClient(url, patience=patience, sleep=sleep)

    def evaluate(self, **request):
        return asyncio.run(self.client.evaluate(**request))

    def batch(self, requests, on_result=None):
        return asyncio.run(self.client.batch(requests, on_result))

    def close(self):
        pass  # it keeps no connection


class Behaviour:
    """What both clients do; `make` is one of the two."""

    def setUp(self):
        self.pauses = []

    def client(self, script, total=100.0):
        self.server = ScriptedServer(script)
        self.addCleanup(self.server.close)
        # Time passes with pauses alone; jitter is at its middle.
        patience = Patience(total=total, random=lambda: 0.5, clock=lambda: sum(self.pauses))
        made = self.make(self.server.url, self.pauses, patience)
        self.addCleanup(made.close)
        return made

    def script(self, *answers):
        return lambda number, *_: answers[min(number, len(answers) - 1)]

    def test_a_verdict_is_returned(self):
        client = self.client(self.script(answer(200, job())))
        self.assertEqual(client.evaluate(task="softmax", source="int a;"), job())
        method, path, body, headers = self.server.seen[0]
        self.assertEqual((method, path), ("POST", "/v1/evaluate"))
        self.assertEqual((body["task"], body["source"]), ("softmax", "int a;"))

    def test_faults_of_the_server_are_tried_again_with_one_key(self):
        client = self.client(self.script([DROP], answer(503, ERROR_503, ["Retry-After: 3"]), answer(502, b"a proxy"),
                                         answer(200, job())))
        self.assertEqual(client.evaluate(task="softmax", source="")["outcome"], "passed")
        self.assertEqual(self.pauses, [0.5, 3.0, 2.0])  # first * 2 ** tries, or Retry-After
        keys = {body["idempotency_key"] for _, _, body, _ in self.server.seen}
        self.assertEqual((len(self.server.seen), len(keys)), (4, 1))

    def test_patience_ends_in_no_verdict(self):
        client = self.client(self.script(answer(503, ERROR_503, ["Retry-After: 30"])), total=70.0)
        with self.assertRaises(NoVerdict) as caught:
            client.evaluate(task="softmax", source="")
        self.assertIn("a fault", str(caught.exception))
        self.assertEqual(self.pauses, [30.0, 30.0])

    def test_an_answer_that_is_none_is_a_fault(self):
        client = self.client(self.script(answer(200, b"{"), [b"nonsense\r\n\r\n", DROP], answer(200, job())))
        self.assertEqual(client.evaluate(task="softmax", source=""), job())

    def test_a_wrong_request_is_refused_at_once(self):
        client = self.client(self.script(answer(422, ERROR_422)))
        with self.assertRaises(Refused) as caught:
            client.evaluate(task="x", source="")
        self.assertEqual(caught.exception.code, "unknown_task")
        self.assertIn("no task 'x'", str(caught.exception))
        self.assertEqual(self.pauses, [])

    def test_a_tasks_own_fault_and_ones_own_deadline_are_not_tried_again(self):
        fault = {"error": {"code": "task_fault", "message": "its reference crashes", "where": "", "hint": ""}}
        late = {"error": {"code": "deadline", "message": "late", "where": "", "hint": "", "retry_after_s": 1}}
        for status, error in ((500, fault), (504, late)):
            with self.assertRaises(NoVerdict):
                self.client(self.script(answer(status, error))).evaluate(task="a", source="", deadline_s=5)
        self.assertEqual(self.pauses, [])

    def test_a_long_job_is_followed(self):
        pending = {"id": "j1", "state": "pending"}
        client = self.client(self.script(answer(202, pending), answer(200, pending), answer(200, job())))
        self.assertEqual(client.evaluate(task="softmax", source=""), job())
        self.assertEqual([(method, path) for method, path, _, _ in self.server.seen],
                         [("POST", "/v1/evaluate"), ("GET", "/v1/jobs/j1?wait=60"), ("GET", "/v1/jobs/j1?wait=60")])

    def test_a_followed_job_that_faults_is_asked_for_again(self):
        client = self.client(self.script(answer(202, {"id": "j1", "state": "pending"}), answer(200, FAULT),
                                         answer(200, job())))
        self.assertEqual(client.evaluate(task="softmax", source=""), job())
        self.assertEqual(self.server.seen[2][:2], ("POST", "/v1/evaluate"))

    def test_a_batch_keeps_its_order_and_tells_as_it_comes(self):
        lines = [{"index": 1, "job": job(2.0)}, {"index": 2, "error": ERROR_422["error"]}, {"index": 0, "job": job(1.0)}]
        client = self.client(self.script(answer(200, chunks=lines)))
        told = []
        results = client.batch([{"task": name, "source": ""} for name in "abx"], lambda index, _: told.append(index))
        self.assertEqual([reward_of(result) for result in results[:2]], [1.0, 2.0])
        self.assertIsInstance(results[2], Refused)
        self.assertEqual(told, [1, 2, 0])
        self.assertEqual(self.pauses, [])

    def test_an_empty_line_of_a_batch_says_nothing(self):
        lines = [b"\n", {"index": 0, "job": job(2.0)}, b"\n", b"\n", {"index": 1, "job": job(3.0)}]
        results = self.client(self.script(answer(200, chunks=lines))).batch([{"task": "a", "source": ""}] * 2)
        self.assertEqual([reward_of(result) for result in results], [2.0, 3.0])
        self.assertEqual(self.pauses, [])

    def test_of_a_batch_only_what_is_missing_is_asked_again(self):
        client = self.client(self.script(
            answer(200, chunks=[{"index": 2, "job": job(3.0)}, DROP]),
            answer(200, chunks=[{"index": 0, "job": job(1.0)}, {"index": 1, "job": FAULT}]),
            answer(200, chunks=[{"index": 0, "job": job(2.0)}])))
        results = client.batch([{"task": name, "source": ""} for name in "abc"])
        self.assertEqual([reward_of(result) for result in results], [1.0, 2.0, 3.0])
        asked = [[one["task"] for one in body["requests"]] for _, _, body, _ in self.server.seen]
        self.assertEqual(asked, [["a", "b", "c"], ["a", "b"], ["b"]])
        keys = [[one["idempotency_key"] for one in body["requests"]] for _, _, body, _ in self.server.seen]
        self.assertEqual(keys, [keys[0], keys[0][:2], keys[0][1:2]])

    def test_a_batch_for_which_there_is_no_room_is_halved(self):
        full = {"error": {"code": "queue_full", "message": "full", "where": "", "hint": "", "retry_after_s": 1}}

        def script(number, method, path, body):
            count = len(body["requests"])
            if count > 2:
                return answer(429, full, ["Retry-After: 1"])
            return answer(200, chunks=[{"index": index, "job": job()} for index in range(count)])

        results = self.client(script).batch([{"task": "a", "source": ""}] * 5)
        self.assertEqual([reward_of(result) for result in results], [1.5] * 5)
        self.assertEqual([len(body["requests"]) for _, _, body, _ in self.server.seen], [5, 2, 3, 1, 2])

    def test_a_batch_grows_again_when_there_is_room(self):
        full = {"error": {"code": "queue_full", "message": "full", "where": "", "hint": "", "retry_after_s": 1}}

        def script(number, method, path, body):
            if number < 2:
                return answer(429, full, ["Retry-After: 1"])
            return answer(200, chunks=[{"index": index, "job": job()} for index in range(len(body["requests"]))])

        results = self.client(script).batch([{"task": "a", "source": ""}] * 16)
        self.assertEqual([reward_of(result) for result in results], [1.5] * 16)
        self.assertEqual([len(body["requests"]) for _, _, body, _ in self.server.seen], [16, 8, 4, 8, 4])

    def test_there_is_a_second_try_whatever_the_time(self):
        client = self.client(self.script(answer(503, ERROR_503, ["Retry-After: 60"]), answer(200, job(2.0))), total=10.0)
        self.assertEqual(reward_of(client.evaluate(task="a", source="")), 2.0)
        self.assertEqual(self.pauses, [60.0])

    def test_patience_begins_with_the_failure(self):
        def script(number, *_):
            if number == 0:
                self.pauses.append(1000.0)  # the answer takes long
            return answer(503, ERROR_503, ["Retry-After: 3"]) if number < 3 else answer(200, job(2.0))

        self.assertEqual(reward_of(self.client(script, total=10.0).evaluate(task="a", source="")), 2.0)

    def test_a_batch_gives_up_on_what_it_does_not_get(self):
        client = self.client(self.script(answer(200, chunks=[{"index": 0, "job": job()}, {"index": 1, "job": FAULT}]),
                                         answer(503, ERROR_503, ["Retry-After: 60"])))
        results = client.batch([{"task": name, "source": ""} for name in "ab"])
        self.assertEqual(reward_of(results[0]), 1.5)
        self.assertIsInstance(results[1], NoVerdict)

    def test_what_the_caller_raises_comes_out(self):
        client = self.client(self.script(answer(200, chunks=[{"index": 0, "job": job()}])))

        def complain(index, result):
            raise ValueError("mine")

        with self.assertRaisesRegex(ValueError, "mine"):
            client.batch([{"task": "a", "source": ""}], complain)

    def test_an_empty_batch_asks_nobody(self):
        self.assertEqual(self.client(self.script(answer(500))).batch([]), [])
        self.assertEqual(self.server.seen, [])


class Tls(unittest.TestCase):
    def test_what_is_trusted_is_read_once(self):
        first, second = (AsyncClient("https://127.0.0.1:1") for _ in range(2))
        self.assertIs(first._tls, second._tls)
        self.assertIs(first._tls, Client("https://127.0.0.1:1")._tls)


class BlockingClient(Behaviour, unittest.TestCase):
    make = Blocking

    def test_what_was_read_from_is_not_asked_again_at_once(self):
        def script(number, *_):
            return answer(200, chunks=[DROP]) if number == 1 else answer(200, job())

        client = self.client(script)
        client.evaluate(task="a", source="")
        client.evaluate(task="a", source="")
        self.assertEqual(len(self.pauses), 1)

    def test_connections_are_kept_and_stale_ones_replaced(self):
        def script(number, *_):
            return answer(200, job()) + ([DROP] if number == 1 else [])

        client = self.client(script)
        for _ in range(3):
            client.evaluate(task="a", source="")
        self.assertEqual(self.server.connections, 2)  # the second answer was its connection's last
        self.assertEqual(self.pauses, [])


    def test_a_fork_uses_no_connection_of_its_parent(self):
        client = self.client(self.script(answer(200, job())))
        client.evaluate(task="a", source="")
        child = os.fork()
        if child == 0:
            try:
                client.evaluate(task="b", source="")
            finally:
                os._exit(0)
        os.waitpid(child, 0)
        client.evaluate(task="c", source="")
        self.assertEqual([body["task"] for _, _, body, _ in self.server.seen], ["a", "b", "c"])
        self.assertEqual(self.server.connections, 2)


class AsynchronousClient(Behaviour, unittest.TestCase):
    make = Asynchronous

    def test_many_wait_at_once(self):
        client = self.client(self.script(answer(200, job())))

        async def ask():
            return await asyncio.gather(*(client.client.evaluate(task="a", source="") for _ in range(50)))

        self.assertEqual(len(asyncio.run(ask())), 50)


class Settings(unittest.TestCase):
    def test_delays_have_jitter_and_an_end(self):
        low, high = Patience(random=lambda: 0.0), Patience(random=lambda: 0.999)
        self.assertEqual(low.delay(0, None), 0.25)
        self.assertAlmostEqual(high.delay(50, None), 45.0, delta=0.1)
        self.assertEqual(low.delay(0, 10.0), 5.0)

    def test_the_url_may_hold_the_token(self):
        server = ScriptedServer(lambda *_: answer(200, {"tasks": []}))
        self.addCleanup(server.close)
        with Client(server.url + "/t/secret/") as client:
            self.assertEqual(client.tasks(), [])
        self.assertEqual(server.seen[0][1], "/t/secret/v1/tasks")
        with Client(server.url, "word") as client:
            client.tasks()
        self.assertEqual(server.seen[1][3]["authorization"], "Bearer word")
        with self.assertRaises(ValueError):
            Client("localhost:8000")

    def test_samples_say_where_their_task_is_named(self):
        self.assertEqual(sample("r", label="softmax", prompt="p", metadata={"atoll": {"kind": "cuda"}, "other": 1}),
                         {"reply": "r", "verdict": False,
                          "name_from": {"metadata": {"atoll": {"kind": "cuda"}}, "label": "softmax", "prompt": "p"}})
        self.assertEqual(sample("r", task="softmax", score="light", label="ignored", verdict=True),
                         {"reply": "r", "verdict": True, "task": "softmax", "scores": ["light"]})
        self.assertEqual(sample("half \ud800")["reply"], "half ?")

    def test_of_a_chat_the_assistants_words_are_the_reply(self):
        chat = [{"role": "user", "content": "q"}, {"role": "assistant", "content": "a"},
                {"role": "assistant", "content": [{"type": "text", "text": "b"}]}]
        self.assertEqual(text_of(chat), "a\nb")
        self.assertEqual(text_of("a"), "a")

    def test_a_score_that_is_no_number_is_no_reward(self):
        self.assertEqual(reward_of({"correct": True, "scores": {}}), 1.0)
        self.assertEqual(reward_of({"correct": False, "scores": {"light": 0}}), 0.0)
        with self.assertRaises(NoVerdict):
            reward_of({"correct": True, "scores": {"light": "nan"}})

    def test_of_several_scores_one_is_named(self):
        both = {"correct": True, "scores": {"light": 0.5, "speedup": 2.0}}
        self.assertEqual(reward_of(both, "speedup"), 2.0)
        with self.assertRaises(ValueError):
            reward_of(both)


if __name__ == "__main__":
    unittest.main()
