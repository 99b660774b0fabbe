"""SkyRL: register(id="atoll", entry_point="atoll_reward.skyrl:AtollEnv"), environment.env_class=atoll.

The label is extras["reward_spec"]["ground_truth"], the metadata extras["extra_info"] (key "atoll"). With extras["max_turns"] above
1 the model is told the server's feedback, until it is right or turns are over; each turn's reward is that of its own candidate.
SkyRL has no word for "no reward": NoVerdict is raised once patience is over.
"""

from typing import Any, Optional

from skyrl_gym.envs.base_text_env import BaseTextEnv, BaseTextEnvStepOutput

from .client import Client, shared_client
from .protocol import reward_of, sample


class AtollEnv(BaseTextEnv):
    """env_config: url, and `fields` of POST /v1/evaluate (task, score, kind, level)."""

    def __init__(self, env_config: Any = None, extras: Optional[dict] = None, client: Optional[Client] = None):
        super().__init__()
        config = dict(env_config or {})
        extras = extras or {}
        self.client = client or shared_client(config.get("url"))
        self.fields = {key: config[key] for key in ("task", "score", "kind", "level") if config.get(key)}
        self.label = (extras.get("reward_spec") or {}).get("ground_truth")
        self.metadata = extras.get("extra_info")
        self.max_turns = int(extras.get("max_turns") or 1)
        self.prompt = None
        self.metrics = {}

    def init(self, prompt):
        self.prompt = prompt
        return prompt, {}

    def step(self, action: str) -> BaseTextEnvStepOutput:
        self.turns += 1
        job = self.client.evaluate(**sample(action, label=self.label, metadata=self.metadata, prompt=self.prompt,
                                            turn=self.turns - 1, **self.fields))
        done = bool(job["correct"]) or self.turns >= self.max_turns
        self.metrics = {"correct": float(job["correct"]), "turns": self.turns, "seconds": job["timing"]["total_s"]}
        told = [] if done else [{"role": "user", "content": job["feedback"]}]
        return BaseTextEnvStepOutput(observations=told, reward=reward_of(job), done=done,
                                     metadata={"outcome": job["outcome"], "job": job["id"]})

    def get_metrics(self) -> dict:
        return dict(self.metrics)
