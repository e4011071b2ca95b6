"""iNaturalist: photographs of living things by species, in folders named by their taxonomy (Van Horn et al., 2018, 2021)."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

from taeda.vision.datasets._labelled import Path, Transform, not_there, numbered, one_or_all
from taeda.vision.datasets.utils import download_and_extract_archive, verify_str_arg
from taeda.vision.datasets.vision import VisionDataset
from taeda.vision.io import open_image

__all__ = ["INaturalist"]

CATEGORIES_2021 = ["kingdom", "phylum", "class", "order", "family", "genus"]
_URL = "https://ml-inat-competition-datasets.s3.amazonaws.com/"
# For each version: the archive, the folder that it unpacks to, and the archive's checksum.
_ARCHIVES = {
    "2017": ("2017/train_val_images.tar.gz", "train_val_images", "7c784ea5e424efaec655bd392f87301f"),
    "2018": ("2018/train_val2018.tar.gz", "train_val2018", "b1c6952ce38f31868cc50ea72d066cc3"),
    "2019": ("2019/train_val2019.tar.gz", "train_val2019", "c60a6e2962c9b8ccbd458d12c8582644"),
    "2021_train": ("2021/train.tar.gz", "train", "e0526d53c7f7b2e3167b2b43bb2690ed"),
    "2021_train_mini": ("2021/train_mini.tar.gz", "train_mini", "db6ed8330e634445efc8fec83ae81442"),
    "2021_valid": ("2021/val.tar.gz", "val", "f6f6e0e242e3d4c9569ba56400938afc"),
}


class INaturalist(VisionDataset):
    """Photographs of 5,000 to 10,000 species.

    Args:
        root: the folder that contains the version's, such as ``2021_train``.
        version: ``"2017"``, ``"2018"``, ``"2019"``, ``"2021_train"``, ``"2021_train_mini"`` or ``"2021_valid"``.
        target_type: ``"full"`` (the species' number), of the versions of 2021 ``"kingdom"``, ``"phylum"``, ``"class"``, ``"order"``,
            ``"family"``, ``"genus"``, of the others ``"super"``; or a list of them.
        transform, target_transform: functions of the image and of the target.
        download: fetch and unpack the archive if the folder is not there.
        loader: reads an image, given its path; by default a PIL image in the file's mode.

    Attributes:
        all_categories: the folder of each species.
        categories_index: of each kind of group the number of each name.
        categories_map: of each species the numbers of its groups.
        index: of each sample the species' number and the name of its file.

    Raises:
        RuntimeError: the folder is not there, or holds folders of other names.
        ValueError: there is no such version, or no such target.

    Sample i is (image, number; a tuple of several).
    """

    root: str

    def __init__(
        self,
        root: Path,
        version: str = "2021_train",
        target_type: list[str] | str = "full",
        transform: Transform | None = None,
        target_transform: Transform | None = None,
        download: bool = False,
        loader: Callable[[str], Any] | None = None,
    ) -> None:
        self.version = verify_str_arg(version, "version", tuple(_ARCHIVES), "INaturalist")
        super().__init__(os.path.join(os.fspath(root), version), transform=transform, target_transform=target_transform)
        if download:
            self.download()
        if not self._there():
            raise not_there("INaturalist", self.root)
        groups = CATEGORIES_2021 if version.startswith("2021") else ["super"]
        kinds = target_type if isinstance(target_type, list) else [target_type]
        self.target_type = [verify_str_arg(kind, "target_type", ("full", *groups), "INaturalist") for kind in kinds]
        self.loader = loader
        self.all_categories: list[str] = []
        self.categories_index: dict[str, dict[str, int]] = {group: {} for group in groups}
        self.categories_map: list[dict[str, int]] = []
        if version.startswith("2021"):
            self._species_and_ranks()
        else:
            self._species_in_folders()
        self.index = [(i, name) for i, folder in enumerate(self.all_categories) for name in os.listdir(os.path.join(self.root, folder))]

    def _there(self) -> bool:
        return os.path.isdir(self.root) and bool(os.listdir(self.root))

    def download(self) -> None:
        """Fetch and unpack the version's archive, unless its folder is there."""
        if self._there():
            return
        archive, folder, md5 = _ARCHIVES[self.version]
        base = os.path.dirname(self.root)
        download_and_extract_archive(_URL + archive, base, filename=f"{self.version}.tgz", md5=md5)
        if not os.path.isdir(os.path.join(base, folder)):
            raise RuntimeError(f"[INaturalist] Unable to find downloaded files at {os.path.join(base, folder)!r}")
        os.rename(os.path.join(base, folder), self.root)

    def _species_and_ranks(self) -> None:
        """Of 2021: a folder is NUMBER_KINGDOM_..._GENUS_SPECIES."""
        self.all_categories = sorted(os.listdir(self.root))
        for i, folder in enumerate(self.all_categories):
            number, *ranks = folder.split("_")
            if len(ranks) != len(CATEGORIES_2021) + 1:
                raise RuntimeError(f"[INaturalist] Unexpected category name {folder}, wrong number of pieces")
            if number != f"{i:05d}":
                raise RuntimeError(f"[INaturalist] Unexpected category id {number}, expecting {i:05d}")
            rows = ((rank, self.categories_index[rank], name) for rank, name in zip(CATEGORIES_2021, ranks, strict=False))
            self.categories_map.append({rank: known.setdefault(name, len(known)) for rank, known, name in rows})

    def _species_in_folders(self) -> None:
        """Before 2021: folders of groups with folders of species, which are names in 2017 and numbers later."""
        supers = sorted(os.listdir(self.root))
        self.categories_index["super"] = numbered(supers)
        folders = [(group, name) for group in supers for name in sorted(os.listdir(os.path.join(self.root, group)))]
        species: dict[int, tuple[str, str]] = {}
        for place, (group, name) in enumerate(folders):
            if self.version != "2017" and not (name.isascii() and name.isdigit()):
                raise RuntimeError(f"[INaturalist] Unexpected non-numeric dir name: {name}")
            number = place if self.version == "2017" else int(name)
            if number in species:
                raise RuntimeError(f"[INaturalist] Duplicate category {name}")
            species[number] = group, name
        for i in range(len(species)):
            if i not in species:
                raise RuntimeError(f"[INaturalist] Missing category {i}")
            group, name = species[i]
            self.all_categories.append(os.path.join(group, name))
            self.categories_map.append({"super": self.categories_index["super"][group]})

    def __getitem__(self, index: int) -> tuple[Any, Any]:
        species, name = self.index[index]
        path = os.path.join(self.root, self.all_categories[species], name)
        image = open_image(path) if self.loader is None else self.loader(path)
        targets = tuple(species if kind == "full" else self.categories_map[species][kind] for kind in self.target_type)
        return self._transformed(image, one_or_all(targets))

    def __len__(self) -> int:
        return len(self.index)

    def category_name(self, category_type: str, category_id: int) -> str:
        """Return the name of a group, or of ``"full"`` the folder of a species, by its number.

        Raises:
            ValueError: there is no such kind of group, or no such number.
        """
        if category_type == "full":
            return self.all_categories[category_id]
        if category_type not in self.categories_index:
            raise ValueError(f"[INaturalist] Invalid category type {category_type!r}; none of full, {', '.join(self.categories_index)}")
        for name, number in self.categories_index[category_type].items():
            if number == category_id:
                return name
        raise ValueError(f"[INaturalist] Invalid category id {category_id} for {category_type}")
