"""verifiers: vf.SingleTurnEnv(dataset=..., rubric=atoll_reward.verifiers.rubric("http://127.0.0.1:8000")).

The label is the sample's answer, the metadata its info (key "atoll"). A Rubric of verifiers makes 0.0 of what a reward function
raises; so this one asks before its functions are called, and raises NoVerdict (a vf.InfraError where there is such a class) from
there: the rollout fails, and no zero is learned from. For version 0.2 and newer, which have no rubrics, `reward` is what a
Task's @vf.reward coroutine returns: what that raises is kept as the rollout's error.
"""

import asyncio
from typing import Any, Optional

from .aio import AsyncClient
from .protocol import NoVerdict, reward_of, sample, text_of

KEY = "atoll"  # of a rollout's state: its job


async def reward(completion: Any, *, label: Any = None, metadata: Any = None, prompt: Any = None,
                 client: Optional[AsyncClient] = None, **fields: Any) -> float:
    """The reward of a model's reply or chat."""
    job = await (client or AsyncClient()).evaluate(
        **sample(text_of(completion), label=label, metadata=metadata, prompt=prompt, **fields))
    return reward_of(job)


def rubric(url: Optional[str] = None, *, client: Optional[AsyncClient] = None, **fields: Any):
    """A vf.Rubric; `fields`: task, score, kind, level, ... of POST /v1/evaluate."""
    import verifiers as vf

    asked = client or AsyncClient(url)
    fault_class = no_verdict_class(getattr(vf, "InfraError", None))

    def atoll(state, **_) -> float:
        return reward_of(state[KEY])

    def atoll_correct(state, **_) -> float:
        return float(state[KEY]["correct"])

    class AtollRubric(vf.Rubric):
        async def score_rollout(self, state, *rest, **named):
            await self.ask(state)
            return await super().score_rollout(state, *rest, **named)

        async def score_group(self, states, *rest, **named):
            await asyncio.gather(*(self.ask(state) for state in states))
            return await super().score_group(states, *rest, **named)

        async def ask(self, state):
            try:
                job = await asked.evaluate(**sample(
                    text_of(state["completion"]), label=state.get("answer"), metadata=state.get("info"),
                    prompt=state["prompt"], **fields))
                reward_of(job)  # before it is too late to raise
            except NoVerdict as fault:
                raise fault_class(str(fault)) from fault
            state[KEY] = job

    return AtollRubric(funcs=[atoll, atoll_correct], weights=[1.0, 0.0])


def no_verdict_class(infra: Optional[type]) -> type:
    """NoVerdict, and what verifiers knows for a fault of the infrastructure, which it may try again."""
    return type("NoVerdict", (infra, NoVerdict), {}) if infra else NoVerdict
