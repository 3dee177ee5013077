"""Every picture by its number alone: photographs of training only, crops that show what they should."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import torch

from diffusion.autoencoder.config import AutoencoderConfig
from diffusion.autoencoder.draws import PictureDraws
from diffusion.draws import ImageSet

MakeConfig = Callable[..., AutoencoderConfig]


def coded(count: int = 12, side: int = 16) -> ImageSet:
    """Return pictures whose red says which one it is, and whose green and blue say where a pixel lies."""
    place = torch.arange(side, dtype=torch.uint8)
    pixels = torch.empty(count, 3, side, side, dtype=torch.uint8)
    pixels[:, 0] = torch.arange(count, dtype=torch.uint8).view(-1, 1, 1)
    pixels[:, 1], pixels[:, 2] = place.view(1, -1, 1), place.view(1, 1, -1)
    return ImageSet(pixels, (torch.arange(count) >= 8).long())


def test_a_whole_image_is_a_photograph_turned(config: AutoencoderConfig):
    draws, shown = PictureDraws(coded(), config), coded().pixels
    for number in range(50):
        (picture,) = draws.whole(number)
        original = shown[int(picture[0, 0, 0])]
        views = [torch.rot90(original, turns, (1, 2)) for turns in range(4)]
        assert any(torch.equal(picture, view) or torch.equal(picture, view.flip(-1)) for view in views)


def test_crops_show_as_many_pixels_as_an_image_and_lie_anywhere_in_it(make_config: MakeConfig):
    draws = PictureDraws(coded(), make_config(crops=2))
    corners = Counter()
    for number in range(300):
        crops = draws.crops(number)
        assert crops.shape == (4, 3, 8, 8)
        for crop in crops:
            assert len(crop[0].unique()) == 1  # of one photograph
            for axis in (1, 2):
                values = crop[axis].unique().tolist()
                assert values == list(range(values[0], values[0] + 8))  # neighbours stay neighbours
            corners[int(crop[1].min()), int(crop[2].min())] += 1
    assert len(corners) == 81


def test_the_same_number_is_the_same_picture_whatever_was_drawn_before(config: AutoencoderConfig):
    first, second = PictureDraws(coded(), config), PictureDraws(coded(), config)
    first.crops(3)
    assert torch.equal(first.crops(7), second.crops(7))
    assert not torch.equal(first.crops(7), first.crops(8))


def test_a_batch_is_its_images_one_after_the_other(config: AutoencoderConfig):
    draws = PictureDraws(coded(), config)
    assert torch.equal(draws.batch(8, whole=True), torch.cat([draws.whole(8 + index) for index in range(4)]))
    assert draws.batch(8, whole=False).shape == (16, 3, 8, 8)


def test_classes_are_drawn_in_proportion_to_a_power_of_their_size(make_config: MakeConfig):
    """8 photographs of one class and 4 of another: with power 0 they are alike, with 1 they are 2 to 1."""
    for power, share in ((0.0, 0.5), (1.0, 2 / 3)):
        draws = PictureDraws(coded(), make_config(sampling_power=power))
        large = [int(draws.whole(number)[0, 0, 0, 0]) < 8 for number in range(3000)]
        assert abs(sum(large) / len(large) - share) < 0.03
