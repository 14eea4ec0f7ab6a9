"""scripts.corpus: how the lists of a folder are read."""

import subprocess
import sys
from pathlib import Path


def test_a_folder_of_lists_is_reported_with_mappings_and_totals(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("Was;Gewicht (g);Wer\nZelt;1180;Anna\nHering;9,5;\n")
    (tmp_path / "b.csv").write_text("Item,Weight\nTent,1180\n")
    (tmp_path / "c.txt").write_text("Tent 1200 g\nLid 10 g, 50 g\n")
    done = subprocess.run(
        [sys.executable, "-m", "scripts.corpus", str(tmp_path)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    a, mapping, left, b, c, bad, summary = done.stdout.splitlines()
    assert a == "a.csv: spreadsheet, 2 items, 1,189.5 g, prices 0.00, 0 unweighed, 0 skipped, 0 refused"
    assert mapping == '  columns: {"Was": "name", "Gewicht (g)": "weight g"}'
    assert left == "  Wer: not kept, on 1 line"
    assert b.startswith('b.csv: not read: The column "Weight" is a weight without a unit: "1180".')
    assert c.startswith("c.txt: text, 1 items, 1,200 g")
    assert bad == "  line 2: weight 10 g, 50 g has different weights"
    assert summary == "1 of 3 lists were read completely"
