"""The part of `run` that needs the installed libraries: SAM's translator and AWS's client.

moto deploys no HTTP API and no SAM resource, so SAM's translator expands the template first.
"""

import json
import sys
from pathlib import Path

import boto3
from samcli.yamlhelper import yaml_parse
from samtranslator.translator.transform import transform

STACK = "expanded"
# Resources that moto can't deploy, and the dashboard, which names the API.
UNKNOWN = [
    "AWS::ApiGatewayV2::",
    "AWS::CloudWatch::",
    "AWS::Lambda::EventInvokeConfig",
    "AWS::SecretsManager::Secret",
]


class NoManagedPolicies:
    """The template names none."""

    @staticmethod
    def load():
        return {}


def prepare():
    """Makes the bucket that `sam deploy` would make, since moto's doesn't carry the tags that it looks for."""
    template = {
        "Resources": {"SamCliSourceBucket": {"Type": "AWS::S3::Bucket"}},
        "Outputs": {"SourceBucket": {"Value": {"Ref": "SamCliSourceBucket"}}},
    }
    boto3.client("cloudformation").create_stack(
        StackName="aws-sam-cli-managed-default",
        TemplateBody=json.dumps(template),
        Tags=[{"Key": "ManagedStackSource", "Value": "AwsSamCli"}],
    )


def uploaded(release):
    """Checks that `sam deploy` has uploaded all zips of the release, unchanged."""
    s3 = boto3.client("s3")
    bucket = next(each["Name"] for each in s3.list_buckets()["Buckets"] if "samclisourcebucket" in each["Name"])
    keys = [each["Key"] for each in s3.list_objects_v2(Bucket=bucket)["Contents"]]
    contents = [s3.get_object(Bucket=bucket, Key=key)["Body"].read() for key in keys]
    zips = list(Path(release).glob("*.zip"))
    missing = [file.name for file in zips if file.read_bytes() not in contents]
    assert len(zips) == 6 and not missing, f"{len(zips)} zips, not uploaded: {missing}"


def check(packaged, parameters_file, expanded_file):
    parameters = json.loads(Path(parameters_file).read_text())
    template = transform(yaml_parse(Path(packaged).read_text()), {}, NoManagedPolicies())
    Path(expanded_file).write_text(json.dumps(template))
    resources = {
        name: resource
        for name, resource in template["Resources"].items()
        if not any(resource["Type"].startswith(kind) for kind in UNKNOWN)
    }
    # What names the API: permissions, and the schedule that sends an event of its form.
    names_api = lambda each: '"Ref": "Api"' in json.dumps(each) or "${Api}" in json.dumps(each)
    for name in [name for name, each in resources.items() if each["Type"] == "AWS::Lambda::Permission" or names_api(each)]:
        del resources[name]
    template["Resources"] = resources
    del template["Outputs"]  # So do they.
    cloudformation = boto3.client("cloudformation")
    cloudformation.create_stack(
        StackName=STACK,
        TemplateBody=json.dumps(template),
        Parameters=[{"ParameterKey": name, "ParameterValue": value} for name, value in parameters.items()],
    )
    made = cloudformation.list_stack_resources(StackName=STACK)["StackResourceSummaries"]
    by_id = {each["LogicalResourceId"]: each["PhysicalResourceId"] for each in made}
    table = boto3.client("dynamodb").describe_table(TableName=by_id["Table"])["Table"]
    assert table["DeletionProtectionEnabled"], table
    functions = boto3.client("lambda").list_functions()["Functions"]
    assert len(functions) == 6, [each["FunctionName"] for each in functions]
    for function in functions:
        variables = function["Environment"]["Variables"]
        assert variables["TABLE_NAME"] == by_id["Table"], variables
        assert variables["SECRETS_ARN"] == parameters["SecretsArn"], variables
        assert len(json.dumps(variables)) <= 4096
    rules = boto3.client("events").list_rules()["Rules"]
    assert [rule["State"] for rule in rules] == ["ENABLED", "ENABLED"], rules
    print(f"moto made {len(made)} resources: {', '.join(sorted({each['ResourceType'] for each in made if each['ResourceType']}))}")


if __name__ == "__main__":
    {"prepare": prepare, "uploaded": uploaded, "check": check}[sys.argv[1]](*sys.argv[2:])
