"""A data set to the Hugging Face hub."""

from __future__ import annotations

from pathlib import Path

from huggingface_hub import HfApi, constants
from huggingface_hub.errors import (
    HfHubHTTPError,
    HFValidationError,
    HTTPError,
    OfflineModeIsEnabled,
)
from rich.console import Console

from lam_ros.core.errors import ConfigError, MachineError
from lam_ros.recording.convert.layout import VERSION, WORK

_UNAUTHORISED = (401, 403)


def push(root: Path, repo_id: str, console: Console, api: HfApi | None = None) -> None:
    """Upload a data set, making the repository if it is not there, tagged with its version.

    Raises:
        ConfigError: if the name is none, or this account may not write there.
        MachineError: if the hub cannot be reached.
    """
    api = api or HfApi()
    if constants.HF_HUB_OFFLINE:
        raise MachineError(
            f"push {repo_id}: HF_HUB_OFFLINE is set; unset it where there is a network"
        )
    try:
        api.create_repo(repo_id, repo_type="dataset", exist_ok=True)
        api.upload_folder(
            repo_id=repo_id, folder_path=root, repo_type="dataset", ignore_patterns=[f"{WORK}/**"]
        )
        api.create_tag(repo_id, tag=VERSION, repo_type="dataset", exist_ok=True)
    except HFValidationError as error:
        raise ConfigError(f"push {repo_id}: no name of a repository ({_line(error)})") from None
    except HfHubHTTPError as error:
        status = error.response.status_code
        if status in _UNAUTHORISED:
            raise ConfigError(
                f"push {repo_id}: not allowed ({status}); `hf auth login` with a token that may write"
            ) from None
        raise MachineError(f"push {repo_id}: the hub answers {status}; try again later") from None
    except (HTTPError, OfflineModeIsEnabled, OSError) as error:
        raise MachineError(
            f"push {repo_id}: the hub cannot be reached ({_line(error)}); the data set is complete "
            f"at {root}, run the same command where there is a network"
        ) from None
    console.print(f"pushed: https://huggingface.co/datasets/{repo_id}", highlight=False)


def _line(error: Exception) -> str:
    return " ".join(str(error).split())[:120]
