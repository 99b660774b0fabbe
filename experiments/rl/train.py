#!/usr/bin/env python3
"""Trains a policy of 0.1 million weights, randomly made, with TRL's GRPOTrainer; its rewards come
from `atoll serve` (a README stands beside this file). Writes numbers and a curve.

    experiments/rl/train.py --url http://127.0.0.1:8000 --output experiments/results/rl
"""

import argparse
import json
import os
import platform
import statistics
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(Path(__file__).parent), str(ROOT / "tools/python")]
os.environ.setdefault("HF_HUB_OFFLINE", "1")

import torch  # noqa: E402
import transformers  # noqa: E402
import trl  # noqa: E402
from atoll_reward import Client  # noqa: E402
from atoll_reward.trl import reward_function  # noqa: E402
from datasets import Dataset  # noqa: E402
from tokenizers import Tokenizer, models, pre_tokenizers  # noqa: E402

from programs import LENGTH, WORDS, all_programs, reply_of  # noqa: E402

TASK = "transpose"
MARGIN = 1.5  # so many times a uniformly drawn program's mean reward, in every seed
SAMPLES = 512


def make_reward(url):
    """A function for GRPOTrainer's reward_funcs: of what the policy said."""
    with Client(url) as client:
        starter = client.task(TASK)["kinds"][0]["starters"][0]["source"]
    of_replies = reward_function(url, task=TASK, score="speedup")

    def rewards(prompts, completions, **columns):
        replies = [reply_of(text, starter) for text in completions]
        return of_replies(prompts, replies, **columns)

    return rewards


def make_tokenizer():
    words = ["<pad>", "<end>", TASK, *WORDS]
    tokenizer = Tokenizer(models.WordLevel({word: at for at, word in enumerate(words)}, "<pad>"))
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    return transformers.PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, pad_token="<pad>", eos_token="<end>", unk_token="<pad>",
        padding_side="left")


def make_policy(tokenizer, seed):
    torch.manual_seed(seed)
    return transformers.GPT2LMHeadModel(transformers.GPT2Config(
        vocab_size=len(tokenizer), n_positions=16, n_embd=64, n_layer=2, n_head=2,
        resid_pdrop=0, embd_pdrop=0, attn_pdrop=0, bos_token_id=tokenizer.eos_token_id,
        eos_token_id=tokenizer.eos_token_id, pad_token_id=tokenizer.pad_token_id))


def train(arguments, ask, tokenizer, seed):
    policy = make_policy(tokenizer, seed)
    trainer = trl.GRPOTrainer(
        model=policy, processing_class=tokenizer, reward_funcs=[ask],
        train_dataset=Dataset.from_dict({"prompt": [TASK] * 1024}),
        args=trl.GRPOConfig(
            output_dir=str(arguments.output / "trainer"), use_cpu=True, seed=seed, bf16=False,
            max_steps=arguments.steps, per_device_train_batch_size=arguments.rollouts,
            num_generations=arguments.rollouts, max_completion_length=LENGTH, temperature=1.0,
            learning_rate=arguments.learning_rate, lr_scheduler_type="constant", beta=0.0,
            gradient_checkpointing=False, logging_steps=1, save_strategy="no", report_to=[],
            disable_tqdm=True))
    trainer.remove_callback(transformers.PrinterCallback)
    trainer.train()
    curve = [float(entry["reward"]) for entry in trainer.state.log_history if "reward" in entry]
    return policy, curve


def sample(policy, tokenizer, seed):
    """What the policy says now."""
    torch.manual_seed(1000 + seed)
    prompt = tokenizer([TASK] * SAMPLES, return_tensors="pt")
    policy.eval()
    with torch.no_grad():
        tokens = policy.generate(
            input_ids=prompt["input_ids"], attention_mask=prompt["attention_mask"],
            max_new_tokens=LENGTH, do_sample=True, temperature=1.0, top_k=0)
    return tokenizer.batch_decode(tokens[:, 1:], skip_special_tokens=True)


def mean_reward(ask, texts):
    rewards = ask([TASK] * len(texts), texts)
    if None in rewards:
        raise SystemExit("the server gave no verdict for some program")
    return statistics.mean(rewards), rewards


def plot(curves, uniform, best, file):
    import matplotlib
    matplotlib.use("Agg")
    from matplotlib import pyplot
    figure, axes = pyplot.subplots(figsize=(7, 4))
    for seed, curve in enumerate(curves):
        axes.plot(curve, linewidth=0.8, alpha=0.6, label=f"seed {seed}")
    mean = [statistics.mean(step) for step in zip(*curves)]
    axes.plot(mean, color="black", linewidth=2, label="mean")
    axes.axhline(uniform, linestyle="--", color="grey", label="a program drawn uniformly")
    axes.axhline(best, linestyle=":", color="grey", label="the best program")
    axes.set(xlabel="step", ylabel="reward: speed-up over the starter",
             title="GRPO with rewards from atoll serve (transpose: loop order, tile, unrolling)")
    axes.legend(fontsize=7)
    figure.tight_layout()
    figure.savefig(file, dpi=80)


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--url", default="http://127.0.0.1:8000")
    parser.add_argument("--output", type=Path, required=True, help="folder for numbers and curve")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--steps", type=int, default=120)
    parser.add_argument("--rollouts", type=int, default=32, help="of one step")
    parser.add_argument("--learning-rate", type=float, default=1e-3)
    arguments = parser.parse_args()
    arguments.output.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(1)
    ask = make_reward(arguments.url)
    tokenizer = make_tokenizer()

    # All of them once: what chance and the best program get; the seeds' rollouts find them cached.
    begin = time.monotonic()
    programs = all_programs()
    uniform, each = mean_reward(ask, programs)
    best = max(each)
    print(f"{len(programs)} programs in {time.monotonic() - begin:.0f} s: mean {uniform:.3f}, best "
          f"{best:.3f} ({programs[each.index(best)]})", flush=True)

    curves, rows = [], []
    for seed in range(arguments.seeds):
        untrained, _ = mean_reward(ask, sample(make_policy(tokenizer, seed), tokenizer, seed))
        begin = time.monotonic()
        policy, curve = train(arguments, ask, tokenizer, seed)
        seconds = time.monotonic() - begin
        learned, _ = mean_reward(ask, sample(policy, tokenizer, seed))
        curves.append(curve)
        rows.append({"seed": seed, "untrained": untrained, "learned": learned, "seconds": seconds,
                     "times_uniform": learned / uniform, "share_of_best": learned / best})
        print(json.dumps(rows[-1]), flush=True)
    with Client(arguments.url) as client:
        device = client.devices()["devices"][0]
    numbers = {
        "versions": {"torch": torch.__version__, "trl": trl.__version__,
                     "transformers": transformers.__version__, "python": platform.python_version()},
        "device": device["description"], "evaluated": device["submitted"],
        "steps": arguments.steps, "rollouts": arguments.rollouts, "programs": len(programs),
        "uniform": uniform, "best": best, "best_program": programs[each.index(best)],
        "seeds": rows, "curves": [[round(one, 4) for one in curve] for curve in curves]}
    (arguments.output / "transpose_grpo.json").write_text(json.dumps(numbers, indent=1) + "\n")
    plot(curves, uniform, best, arguments.output / "transpose_grpo.png")
    least = min(row["times_uniform"] for row in rows)
    rises = all(statistics.mean(c[-10:]) > statistics.mean(c[:10]) for c in curves)
    print(f"least of the seeds: {least:.2f} times a uniformly drawn program (asked: {MARGIN}); the "
          f"reward rises in {'every' if rises else 'not every'} seed")
    sys.exit(0 if least >= MARGIN and rises else 1)


if __name__ == "__main__":
    main()
