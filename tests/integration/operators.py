"""An operator's credentials on the embedded AWS: a user who may do what the runbook's policy says, and nothing else."""

import json
import re
from collections.abc import Mapping

import boto3

from cli.paths import ROOT
from infra.local.cloud import ACCESS_KEY, REGION, Cloud
from infra.local.deployment import STACK


def policy_of_runbook(arns: Mapping[str, str]) -> str:
    """The policy on the runbook's page, with the deployment's ARNs in place of the names there."""
    page = (ROOT / "docs" / "runbook.md").read_text("utf-8")
    (policy,) = re.findall(r"```json\n(.*?)```", page, re.DOTALL)
    filled = re.sub(r"[A-Z_]+_ARN", lambda name: arns[name[0]], policy.replace("stack/STACK/", f"stack/{STACK}/"))
    return json.dumps(json.loads(filled))


def operator_environment(cloud: Cloud, outputs: Mapping[str, str], environment: Mapping[str, str]) -> dict[str, str]:
    """The environment with the keys of a new user who has the runbook's policy."""
    stream = cloud.kinesis.describe_stream_summary(StreamName=outputs["EventStreamName"])["StreamDescriptionSummary"]
    arns = {
        "REJECTED_BUCKET_ARN": f"arn:aws:s3:::{outputs['RejectedBucketName']}",
        "EVENT_STREAM_ARN": stream["StreamARN"],
        "CONTROL_KEY_SECRET_ARN": outputs["ControlKeySecretArn"],
        "STATE_TABLE_ARN": cloud.dynamodb.describe_table(TableName=outputs["StateTableName"])["Table"]["TableArn"],
    }
    for name, output in (("DISPATCH", "DispatchOutboxFunctionName"), ("ARCHIVE", "ArchiveOutboxFunctionName")):
        function = cloud.functions.get_function_configuration(FunctionName=outputs[output])
        arns[f"{name}_OUTBOX_ARN"] = function["FunctionArn"]
    iam = boto3.client(
        "iam",
        endpoint_url=cloud.endpoint,
        region_name=REGION,
        aws_access_key_id=ACCESS_KEY,
        aws_secret_access_key=ACCESS_KEY,
    )
    iam.create_user(UserName="operator")
    iam.put_user_policy(UserName="operator", PolicyName="put_back", PolicyDocument=policy_of_runbook(arns))
    key = iam.create_access_key(UserName="operator")["AccessKey"]
    return {
        **environment,
        "AWS_ACCESS_KEY_ID": key["AccessKeyId"],
        "AWS_SECRET_ACCESS_KEY": key["SecretAccessKey"],
    }
