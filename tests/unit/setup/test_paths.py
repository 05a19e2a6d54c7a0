"""Our files are found from a checkout, a pip installation and a colcon build."""

from __future__ import annotations

import pytest

from lam_ros import paths
from lam_ros.core.errors import CheckpointError, MachineError


def installed(folder, modules):
    """Lay out an installed lam_ros and return the path of its paths.py."""
    share = folder / "share/lam_ros"
    (share / "config").mkdir(parents=True)
    (share / "package.xml").touch()
    module = folder / modules / "lam_ros/paths.py"
    module.parent.mkdir(parents=True)
    module.touch()
    return module, share


def test_a_checkout_is_its_own_share():
    root = paths.share_dir()

    assert (root / "package.xml").is_file()
    assert paths.config_dir() == root / "config"
    assert paths.checkpoints_dir() == root / "policies/checkpoints"


@pytest.mark.parametrize(
    "modules",
    ["lib/python3.12/site-packages", "lib/python3.12/dist-packages", "."],
    ids=["pip", "debian", "target"],
)
def test_an_installation_is_found_from_its_modules(tmp_path, modules):
    module, share = installed(tmp_path / "install/lam_ros", modules)

    assert paths.checkout_dir(module) is None
    assert paths.share_dir(module) == share


def test_a_symlinked_build_leads_to_the_checkout(tmp_path):
    checkout = tmp_path / "src/lam_ros"
    (checkout / "config").mkdir(parents=True)
    (checkout / "package.xml").touch()
    (checkout / "lam_ros").mkdir()
    (checkout / "lam_ros/paths.py").touch()
    build = tmp_path / "build/lam_ros"
    build.mkdir(parents=True)
    (build / "lam_ros").symlink_to(checkout / "lam_ros")

    assert paths.share_dir(build / "lam_ros/paths.py") == checkout


def test_missing_data_files_are_said(tmp_path):
    module = tmp_path / "lam_ros/paths.py"

    with pytest.raises(MachineError, match=r"share/lam_ros.*install it again"):
        paths.share_dir(module)


def test_the_dds_profile_is_there():
    assert paths.dds_profile().is_file()


def test_a_checkpoint_is_found_by_its_name_or_is_the_folder_given(tmp_path):
    folder = paths.find_checkpoint("lam_so101")
    assert folder.parent == paths.checkpoints_dir()
    assert paths.find_checkpoint(str(tmp_path)) == tmp_path
    with pytest.raises(CheckpointError, match=r"unknown checkpoint 'lam_so10'.*mean 'lam_so101'"):
        paths.find_checkpoint("lam_so10")
