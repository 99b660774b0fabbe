"""Client of Atoll's reward server (`atoll serve`). Standard library only.

    client = Client("http://127.0.0.1:8000")
    job = client.evaluate(task="softmax", source=open("mine.cpp").read())
    print(job["outcome"], reward_of(job), job["feedback"])

A job is the server's own document (schema DoneJob of its /openapi.json) as a dict. A candidate's fault is a job like any
other. A fault of the server or of the way to it is never a reward: it is tried again, and in the end NoVerdict. A request that
is wrong is Refused at once. Reward functions for trainers: atoll_reward.trl, .verl, .skyrl, .verifiers.
"""

from .aio import AsyncClient
from .client import Client
from .protocol import AtollError, NoVerdict, Patience, Refused, reward_of, sample

__all__ = ["AsyncClient", "AtollError", "Client", "NoVerdict", "Patience", "Refused", "reward_of", "sample"]
