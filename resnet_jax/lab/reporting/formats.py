"""The main table as Markdown and as LaTeX."""

from collections.abc import Sequence

from resnet_jax.lab.reporting.main_table import Entry, MainTable


def markdown(table: MainTable) -> str:
    """Formats the table as Markdown, with its notes below."""
    titled = any(block.title for block in table.blocks)
    heads = [*(["measure"] if titled else []), *table.heads, *table.columns]
    if table.axis:
        heads[-len(table.columns)] = f"{table.axis} {table.columns[0]}"
    left = len(heads) - len(table.columns)
    lines = [heads, ["---"] * left + ["---:"] * len(table.columns)]
    for block in table.blocks:
        for place, row in enumerate(block.rows):
            title = [block.title if not place else ""] if titled else []
            lines.append([*title, *row.words, *map(_markdown_entry, row.entries)])
    rows = "".join(f"| {' | '.join(line)} |\n" for line in (map(_no_bar, each) for each in lines))
    return rows + "\n" + "\n".join(table.notes) + "\n"


def _no_bar(cell: str) -> str:
    return cell.replace("|", r"\|")


def _markdown_entry(entry: Entry) -> str:
    mean = f"**{entry.mean}**" if entry.best else entry.mean
    spread = f" ± {entry.std}" if entry.std else ""
    return mean + spread + (f" ({entry.remark})" if entry.remark else "")


def latex(table: MainTable, caption: str) -> str:
    r"""Formats the table as LaTeX for the package booktabs, with its notes as the caption.

    Args:
      table: the table.
      caption: the first sentence of the caption.
    """
    left, right = len(table.heads), len(table.columns)
    everything = left + right
    lines = [
        r"% \usepackage{booktabs}",
        r"\begin{table}",
        r"\centering",
        rf"\caption{{{_tex(' '.join([caption, *table.notes]))}}}",
        rf"\begin{{tabular}}{{{'l' * left}{'r' * right}}}",
        r"\toprule",
    ]
    if table.axis:
        lines += [
            f"{'& ' * left}\\multicolumn{{{right}}}{{c}}{{{_tex(table.axis)}}} \\\\",
            rf"\cmidrule(lr){{{left + 1}-{everything}}}",
        ]
    lines.append(_tex_row([*table.heads, *table.columns]))
    for block in table.blocks:
        lines.append(r"\midrule")
        if block.title:
            lines.append(rf"\multicolumn{{{everything}}}{{l}}{{\emph{{{_tex(block.title)}}}}} \\")
        lines += [
            " & ".join([*map(_tex, row.words), *map(_tex_entry, row.entries)]) + r" \\"
            for row in block.rows
        ]
    return "\n".join([*lines, r"\bottomrule", r"\end{tabular}", r"\end{table}", ""])


def _tex_row(cells: Sequence[str]) -> str:
    return " & ".join(map(_tex, cells)) + r" \\"


def _tex_entry(entry: Entry) -> str:
    mean = rf"\textbf{{{_tex(entry.mean)}}}" if entry.best else _tex(entry.mean)
    spread = rf" $\pm$ {_tex(entry.std)}" if entry.std else ""
    return mean + spread + (rf" {{\footnotesize ({_tex(entry.remark)})}}" if entry.remark else "")


_TEX = {
    "\\": r"\textbackslash{}",
    **{each: f"\\{each}" for each in "%_&#$"},
    "{": r"\{",
    "}": r"\}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": "$<$",
    ">": "$>$",
    "|": "$|$",
    "±": r"$\pm$",
    "−": "$-$",
    "×": r"$\times$",
    "·": r"$\cdot$",
    "→": r"$\to$",
    "≤": r"$\le$",
    "≥": r"$\ge$",
    "²": "$^2$",
    "³": "$^3$",
    "–": "--",
    "—": "---",
    "“": "``",
    "”": "''",
    "’": "'",
    "…": r"\ldots{}",
}


def _tex(text: str) -> str:
    """Escapes what is special to LaTeX, and writes signs as LaTeX has them."""
    return "".join(_TEX.get(letter, letter) for letter in text)
