#!/usr/bin/env python3
"""Strings of a Random Hierarchy Model, by NumPy alone: a generator that shares no code with rhm.

The files in tests/data were made by

    python3 tests/make_dataset.py --out tests/data/rhm-8-4-2-3.npy

Writes OUT (tokens, n x s^L) and OUT with _labels before its ending (labels, n), symbols 0..V-1, uint8 where
V <= 256. Prints what says whether layerwise learning from the first patches can work: for each level l the
smallest chance of a level-(l-1) symbol to stand first (0: its patches are never seen there), and the gap
rho = min |q_nu - q_nu'| between the label distributions of two such symbols; N >> V m / rho^2 is needed.

RandomState, not default_rng: NumPy promises that its numbers stay the same from version to version.
"""
import argparse
import sys

import numpy as np


def draw_rules(rng, V, m, s, L):
    """rules[l][symbol, k] = the k-th s-tuple below a level-l symbol; V m distinct tuples a level."""
    if V * m > V**s:
        sys.exit(f"m*V = {m * V} exceeds V^s = {V**s}: no unambiguous grammar exists")
    if V**s > 2**24:
        sys.exit(f"V^s = {V**s}: this script lists all tuples, up to 2^24")
    rules = []
    for _ in range(L):
        chosen = rng.permutation(V**s)[: V * m]
        digits = [chosen // V ** (s - 1 - j) % V for j in range(s)]
        rules.append(np.stack(digits, axis=-1).reshape(V, m, s))
    return rules


def draw_strings(rng, rules, n):
    V, m, _ = rules[0].shape
    labels = rng.randint(V, size=n)
    symbols = labels[:, None]
    for level in rules:
        symbols = level[symbols, rng.randint(m, size=symbols.shape)].reshape(n, -1)
    return symbols, labels


def first_symbols(rules):
    """For l = 1..L: the chances p[nu] that a level-(l-1) symbol stands first, and q[nu, label] where it does."""
    V, m, _ = rules[0].shape
    joint = np.eye(V) / V  # [label, nu]
    result = []
    for level in rules:
        p = joint.sum(axis=0)
        result.append((p, (joint[:, p > 0] / p[p > 0]).T))
        step = np.zeros((V, V))
        for nu in range(V):
            np.add.at(step[nu], level[nu, :, 0], 1 / m)
        joint = joint @ step
    return result


def smallest_gap(q):
    distances = np.linalg.norm(q[:, None] - q[None], axis=-1)
    return distances[np.triu_indices(len(q), 1)].min()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, default, text in (("V", 8, "symbols a level, and labels"), ("m", 4, "rules a symbol"),
                                ("s", 2, "children a symbol"), ("L", 3, "levels"),
                                ("n", 20000, "strings"), ("seed", 132, "of grammar and strings")):
        parser.add_argument(f"--{name}", type=int, default=default, help=f"{text} (default {default})")
    parser.add_argument("--out", help="ends in .npy; without it only the check is printed")
    args = parser.parse_args()
    if args.out and not args.out.endswith(".npy"):
        sys.exit(f"{args.out}: must end in .npy")

    rng = np.random.RandomState(args.seed)
    rules = draw_rules(rng, args.V, args.m, args.s, args.L)
    for l, (p, q) in enumerate(first_symbols(rules), 1):
        gap = smallest_gap(q)
        print(f"level {l}: P(first) >= {p.min():.4f}, rho = {gap:.4f}, V m / rho^2 = {args.V * args.m / gap**2:.0f}")
    if args.out:
        tokens, labels = draw_strings(rng, rules, args.n)
        kind = np.uint8 if args.V <= 256 else np.uint16
        np.save(args.out, tokens.astype(kind))
        np.save(args.out[: -len(".npy")] + "_labels.npy", labels.astype(kind))


if __name__ == "__main__":
    main()
