"""TRL: GRPOTrainer(reward_funcs=[atoll_reward.trl.reward_function("http://127.0.0.1:8000")], ...).

A sample without a verdict gets None, which TRL leaves out of the group. A request that is wrong (a task that is not served)
is a mistake in the data set: Refused is raised, and training ends.
"""

import logging
from typing import Any, Optional

from .client import Client, shared_client
from .protocol import NoVerdict, Refused, reward_of, sample, text_of

LOG = logging.getLogger(__name__)


def reward_function(url: Optional[str] = None, *, client: Optional[Client] = None, label_column: str = "label",
                    metadata_column: str = "metadata", **fields: Any):
    """A function for `reward_funcs`. The task of each sample is named by `fields` (task="softmax"), or in the data set's column
    for metadata (key "atoll") or label, or in the prompt. `fields`: score, kind, level, ... of POST /v1/evaluate."""
    asked = client or shared_client(url)

    def atoll(prompts: list, completions: list, **columns: Any) -> list:
        nothing = [None] * len(completions)
        labels = columns.get(label_column) or nothing
        metadata = columns.get(metadata_column) or nothing
        results = asked.batch([sample(text_of(completion), label=label, metadata=data, prompt=prompt, **fields)
                               for completion, label, data, prompt in zip(completions, labels, metadata, prompts)])
        return [reward_or_none(result) for result in results]

    return atoll


def reward_or_none(result: Any) -> Optional[float]:
    if isinstance(result, Refused):
        raise result
    try:
        if isinstance(result, NoVerdict):
            raise result
        return reward_of(result)
    except NoVerdict as fault:
        LOG.warning("a sample gets no reward: %s", fault)
        return None
