"""The names of a deployment's queue, function and topic, from the outputs of its stack."""

import argparse

import boto3


def read_outputs(stack: str) -> dict[str, str]:
    """The outputs of a stack by name. AWS is found as usual; AWS_ENDPOINT_URL points to the embedded one."""
    found = boto3.client("cloudformation").describe_stacks(StackName=stack)["Stacks"][0]
    return {output["OutputKey"]: output["OutputValue"] for output in found["Outputs"]}


def stack_argument(description: str | None) -> argparse.ArgumentParser:
    """A parser with the one argument of every example."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--stack", default="service-quality", help="name of the stack (%(default)s)")
    return parser
