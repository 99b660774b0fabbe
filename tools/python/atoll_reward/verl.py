"""verl: custom_reward_function.path=.../atoll_reward/verl.py, .name=compute_score (or compute_scores, for the old reward manager
"batch"), .reward_kwargs.url=http://127.0.0.1:8000; `python3 -m atoll_reward.verl` prints the path.

The label is the sample's ground_truth, the metadata its extra_info (key "atoll"). verl has no word for "no reward": NoVerdict is
raised once patience_s is over, and training ends, since a zero would be learned from.
"""

from typing import Any, Optional

# Absolute: verl loads this file by its path.
from atoll_reward.aio import AsyncClient
from atoll_reward.client import shared_client
from atoll_reward.protocol import AtollError, Patience, reward_of, sample


def score_of(result: Any) -> dict:
    if isinstance(result, AtollError):
        raise result
    return {"score": reward_of(result), "correct": float(result["correct"]), "seconds": result["timing"]["total_s"]}


def compute_scores(data_sources, solution_strs, ground_truths, extra_infos=None, *, url: Optional[str] = None,
                   token: Optional[str] = None, patience_s: float = 600.0, **fields: Any) -> list:
    """All samples of a batch side by side. `fields`: task, score, kind, level, ... of POST /v1/evaluate."""
    extra_infos = [None] * len(solution_strs) if extra_infos is None else extra_infos
    results = shared_client(url, token, patience_s).batch(
        [sample(text, label=label, metadata=info, **fields)
         for text, label, info in zip(solution_strs, ground_truths, extra_infos)])
    return [score_of(result) for result in results]


async def compute_score(data_source, solution_str, ground_truth, extra_info=None, *, url: Optional[str] = None,
                        token: Optional[str] = None, patience_s: float = 600.0, reward_router_address=None,
                        reward_model_tokenizer=None, **fields: Any) -> dict:
    """One sample, for the reward loop: a coroutine, so that as many wait at once as there are samples."""
    client = AsyncClient(url, token, patience=Patience(total=patience_s))
    return score_of(await client.evaluate(**sample(solution_str, label=ground_truth, metadata=extra_info, **fields)))


if __name__ == "__main__":
    print(__file__)
