"""Orders by their mapping, a year of features, a model of churn, scores at orders and by a sweep, findings, alerts."""

from argparse import Namespace
from pathlib import Path

import pytest

from infra.local import churn
from infra.local.deployment import deploy
from infra.local.emulator import Emulator
from tests.integration.orders_file import write_orders
from tests.stand_ins.tiny_model import tiny_model

pytestmark = [pytest.mark.aws, pytest.mark.spark, pytest.mark.slow, pytest.mark.long, pytest.mark.timeout(1500)]

CUSTOMERS, DAYS, SPLIT = 150, 370, "2011-11-10"


def promote_tiny_model(emulator: Emulator, outputs: dict[str, str]) -> None:
    """A first champion of the first task, for which functions wait."""
    cloud = emulator.cloud
    cloud.s3.put_object(Bucket=outputs["ModelsBucketName"], Key="models/tiny/model.onnx", Body=tiny_model())
    texts = {"pk": "pointer", "sk": "champion", "version": "tiny"}
    item = {name: {"S": value} for name, value in texts.items()} | {"revision": {"N": "1"}}
    cloud.dynamodb.put_item(TableName=outputs["ModelsTableName"], Item=item)


def test_orders_come_in_and_warnings_in_both_languages_come_out(tmp_path: Path, monkeypatch, capsys):
    orders = tmp_path / "orders.csv"
    write_orders(orders, customers=CUSTOMERS, days=DAYS)
    with Emulator(tmp_path / "emulator") as emulator:
        outputs = deploy(emulator)
        promote_tiny_model(emulator, outputs)
        monkeypatch.setattr(churn, "find_running", lambda: emulator)
        monkeypatch.setattr("infra.local.emulator.FOLDERS", (tmp_path / "emulator",))
        monkeypatch.setattr(churn, "FOLDER", tmp_path / "emulator")
        asked = Namespace(file=orders, mapping="online_retail", shop="orders", split=SPLIT, days=5)

        status = churn.run(asked)

    said = capsys.readouterr().out
    scored, swept, alerts, compared = said.splitlines()[:4]
    assert status == 0, said
    assert int(scored.split()[0]) > 0
    assert int(scored.split(":")[1].split()[0]) > 0
    assert int(swept.split()[0]) > int(swept.split(", ")[1].split()[0]) > 0
    assert int(alerts.split()[0]) == int(alerts.split(", ")[2].split()[0]) > 0
    assert compared.endswith(" 0 mismatched")
    assert "A regular customer is likely to stay away" in said
    assert "老顾客可能流失" in said
    assert "What weighs most in the risk" in said
    assert "影响风险的主要原因" in said
