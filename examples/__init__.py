"""Scripts to copy: they speak with a deployment by boto3 alone, and need nothing else of this project."""
