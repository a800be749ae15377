"""Writes table-N.csv and expected-N.csv: random clinical tables and what pandas makes of them.

Run by hand, with pandas 2.2 or later:  python oracle.py FOLDER
The expected files hold read_csv, get_dummies (columns that begin with "cat"), the id and the numeric columns
(that begin with "num"), missing numbers filled with 0, written with to_csv.
"""

import csv
import random
import sys

import pandas as pd

FOLDER = sys.argv[1]


def pick(rng, values, missing, share):
    return rng.choice(missing) if rng.random() < share else rng.choice(values)


def column(rng, kind, rows):
    missing = ["", "NA", "N/A", "nan", "NULL", "None", "n/a", "<NA>"]
    share = rng.choice([0, 0, 0.2])
    if kind == "text":
        words = ["T1a", "T2", "not done", ">0 - 25%", "é", "ß", "z,comma", 'a "quote"', "Ärzte", "𝒳", "\uffee", "zz", "10%"]
        return [pick(rng, rng.sample(words, 5), missing, share) for _ in range(rows)]
    if kind == "code":
        codes = ["3", "1", "2", "10", "04", "-1", "+7"]
        return [pick(rng, codes, missing, share) for _ in range(rows)]
    if kind == "real":
        reals = ["1.5", "1", "2.0", "1e-7", "1e16", "123456789.125", "-0.0", ".5", "3.", "1E3", "0.00012", "1e22"]
        return [pick(rng, reals, missing, share) for _ in range(rows)]
    if kind == "mixed":
        return [pick(rng, ["1", "2", "10", "01", "two", "Not Collected", "1.0"], missing, share) for _ in range(rows)]
    if kind == "bool":
        return [pick(rng, ["True", "False"], missing, share) for _ in range(rows)]
    if kind == "boolish":
        return [pick(rng, ["TRUE", "false", "True"], missing, 0) for _ in range(rows)]
    if kind == "empty":
        return [rng.choice(missing) for _ in range(rows)]
    if kind == "one":
        return ["only"] * rows
    if kind == "large":
        return [rng.choice(["9007199254740993", "9223372036854775807", "12"]) for _ in range(rows)]
    raise ValueError(kind)


def main():
    for number in range(1, 9):
        rng = random.Random(number)
        rows = rng.randint(8, 24)
        kinds = ["text", "code", "real", "mixed", "bool", "boolish", "empty", "one", "large"]
        table = {"case_id": [f"C-{n:03d}" for n in range(rows)]}
        for index, kind in enumerate(kinds):
            table[f"cat {index} ({kind})"] = column(rng, kind, rows)
        for index, kind in enumerate(["code", "real", "code", "real", "empty", "large"]):
            table[f"num {index} ({kind})"] = column(rng, kind, rows)
        names = list(table)
        rng.shuffle(names)
        path = f"{FOLDER}/table-{number}.csv"
        with open(path, "w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(names)
            writer.writerows(zip(*(table[name] for name in names)))
        frame = pd.read_csv(path)
        dummies = [
            pd.get_dummies(frame[name], prefix=name, dtype=int) for name in names if name.startswith("cat")
        ]
        numbers = [frame[[name]].fillna(0) for name in names if name.startswith("num")]
        result = pd.concat([*dummies, frame[["case_id"]], *numbers], axis=1)
        result.to_csv(f"{FOLDER}/expected-{number}.csv", index=False)


main()
