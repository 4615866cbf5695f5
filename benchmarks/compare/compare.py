"""Runs a training step of each work in weft and in libtorch alternately, and prints one table of ratios.

libtorch is first tried with its settings (as many threads as asked or one; memory that malloc keeps, in huge pages, or malloc
as it is; oneDNN on or off; denormals flushed or not; gradients dropped before a step or zeroed) and then measured with the
fastest. Before that both do three steps without dropout, whose losses must agree. Status 1 where they don't.
"""
import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys

WORKS = ["lstm", "transformer", "gpt2", "attention", "ragged", "conv", "ctc", "mlp", "tape"]
QUICK = ["mlp", "tape"]  # whose steps take microseconds: always as many as they have themselves
# libtorch asks malloc for each tensor, and malloc the system for each large one, which clears it: half of a step on some machines.
KEEP_MEMORY = "glibc.malloc.mmap_max=0:glibc.malloc.trim_threshold=34359738368:glibc.malloc.hugetlb=1"
# What libtorch is told by its environment at first, what else is tried, and what that is called.
SETTINGS = {"GLIBC_TUNABLES": (KEEP_MEMORY, "", "plain malloc"), "PEER_MKLDNN": ("1", "0", "no oneDNN"),
            "PEER_FLUSH_DENORMALS": ("1", "0", "denormals"), "PEER_DROP_GRADIENTS": ("1", "0", "gradients zeroed")}
TOLERANCE = 1e-4  # of losses, relative


def run(program, work, threads, *options, **environment):
    command = [program, work, "--threads", str(threads), *options]
    done = subprocess.run(command, env={**os.environ, **environment}, capture_output=True, text=True)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(map(str, command))}: {done.stderr.strip()}")
    return json.loads(done.stdout)


def names(program):
    text = subprocess.run([program, "--help"], capture_output=True, text=True, check=True).stdout
    return text.partition("NAME is one of")[2].partition(":")[0].replace(",", " ").split()


def losses_agree(ours, theirs, work):
    options = ["--dropout", "0", "--warmup", "2", "--steps", "1"]
    mine, peer = (run(program, work, 1, *options)["losses"] for program in (ours, theirs))
    worst = max(abs(a - b) / max(abs(b), 1e-30) for a, b in zip(mine, peer))
    agree = len(mine) == len(peer) == 3 and worst <= TOLERANCE
    if not agree:
        print(f"{work}: the losses of the first steps differ: weft {mine}, libtorch {peer}", file=sys.stderr)
    return agree, worst


def best_setting(program, work, threads, steps):
    """(threads, environment) of libtorch that is fastest; one after the other is tried, beside the best so far."""
    def timed(count, **environment):
        return run(program, work, count, "--warmup", "1", *steps, **environment)["ms_per_step"], count, environment

    at_first = {variable: first for variable, (first, _, _) in SETTINGS.items()}
    best = min((timed(count, **at_first) for count in sorted({1, threads})), key=lambda one: one[0])
    for variable, (_, instead, _) in SETTINGS.items():
        other = timed(best[1], **{**best[2], variable: instead})
        # Only what is clearly faster: the choice is made from one run each.
        best = other if other[0] < 0.95 * best[0] else best
    return best[1:]


def milliseconds(value):
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def compare(arguments, ours, theirs, work, threads, loss):
    told = arguments.steps and work not in QUICK
    steps = ["--steps", str(arguments.steps)] if told else []
    few = ["--steps", str(min(arguments.steps, 3))] if told else []
    count, environment = best_setting(theirs, work, threads, few)
    mine, peer = [], []
    for _ in range(arguments.rounds):
        mine.append(run(ours, work, threads, *steps))
        peer.append(run(theirs, work, count, *steps, **environment))
    ratios = [b["ms_per_step"] / a["ms_per_step"] for a, b in zip(mine, peer)]
    median = lambda results, key: statistics.median(result[key] for result in results)
    measured = mine[0]["percent_of_peak"] is not None
    setting = ", ".join(["1 thread" if count == 1 else f"{count} threads"] +
                        [name for variable, (first, _, name) in SETTINGS.items() if environment[variable] != first])
    return [work, str(threads), setting, milliseconds(median(peer, "ms_per_step")), milliseconds(median(mine, "ms_per_step")),
            f"{statistics.median(ratios):.2f}", f"{min(ratios):.2f} to {max(ratios):.2f}",
            f"{median(mine, 'percent_of_peak'):.0f} %" if measured else "", f"{median(peer, 'peak_rss_mb'):,.0f}",
            f"{median(mine, 'peak_rss_mb'):,.0f}", f"{loss:.0e}"]


HEAD = ["work", "threads", "libtorch's best", "libtorch ms", "weft ms", "times faster", "spread", "of peak", "libtorch MB",
        "weft MB", "losses differ by"]


def print_row(row):
    widths = [max(len(name), least) for name, least in zip(HEAD, [11, 0, 20, 0, 0, 0, 16, 0, 0, 0, 0])]
    print("| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths)) + " |", flush=True)


def main():
    parser = argparse.ArgumentParser(prog="compare.sh", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("build", nargs="?", default="build", type=pathlib.Path, help="build folder (build)")
    parser.add_argument("--works", nargs="+", default=WORKS, choices=WORKS, help="what to compare (all that weft has)")
    parser.add_argument("--threads", nargs="+", type=int, default=[2, 1], help="numbers of threads (2 1)")
    parser.add_argument("--rounds", type=int, default=5, help="alternations (5)")
    parser.add_argument("--steps", type=int, help="steps measured in each run, of mlp and tape their own in any case (the works' own)")
    arguments = parser.parse_args()
    ours, theirs = arguments.build / "benchmarks/train_step", arguments.build / "benchmarks/compare/libtorch_step"
    if not ours.exists() or not theirs.exists():
        parser.error(f"{ours} and {theirs} are needed: meson configure {arguments.build} -Dbenchmarks=true -Dpeers=enabled "
                     f"(meson setup where there is no such folder), then ninja -C {arguments.build}")
    works = [work for work in arguments.works if work in names(ours)]
    load = os.getloadavg()[0]
    print(f"Load before: {load:.1f}" + (" (the machine is busy: times mean little, ratios something)" if load > 0.5 else ""), flush=True)
    print_row(HEAD)
    print_row(["---"] * len(HEAD))
    failed = False
    for work in works:
        agree, worst = losses_agree(ours, theirs, work)
        failed |= not agree
        for threads in arguments.threads:
            print_row(compare(arguments, ours, theirs, work, threads, worst))
    if "ragged" in works:
        threads = arguments.threads[0]
        shares = [run(ours, "ragged", threads)["ms_per_step"] / run(ours, "ragged", threads, "--padded")["ms_per_step"]
                  for _ in range(arguments.rounds)]
        print(f"ragged takes {statistics.median(shares):.2f} of the time of the same rows padded ({min(shares):.2f} to {max(shares):.2f})")
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
