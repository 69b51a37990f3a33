"""Animated GIFs from images, through Pillow."""


def gif(images, path, colours=(), seconds=5.0, held=1.5, times=None, palette=None):
    """Writes images as one animated GIF that begins anew when it has ended.

    All have one palette, so that from one to the next only what moves is stored.

    Args:
        images: a list of uint8 arrays (height, width, 3).
        path: where the file goes.
        colours: names or codes of matplotlib colours, at most 128, that must stay what they are: a palette mixes those
            of thin lines with their neighbours.
        seconds: how long the film is before its last image; less when it has fewer than 15 images.
        held: how long the last image stays, in seconds.
        times: how long each image stays, in seconds, instead of `seconds` and `held`; a file has hundredths.
        palette: the image whose colours all have; by default the last one.

    Returns:
        The path.

    Example:
        >>> from PIL import Image
        >>> images = [np.roll(np.uint8([255, 0, 0, 0]), shift)[None, :, None].repeat(3, 2) for shift in (0, 1, 2)]
        >>> path = gif(images, folder + "/film.gif")
        >>> with Image.open(path) as film:
        ...     (film.n_frames, film.size)
        (3, (4, 1))
    """
    from matplotlib.colors import to_rgba_array
    from PIL import Image

    kept = (255 * to_rgba_array(list(colours))[:, :3]).round().astype(int)
    shared = Image.fromarray(images[-1] if palette is None else palette).quantize(128, dither=Image.Dither.NONE)
    # White is mixed with its neighbours, too: what is nearly white becomes so.
    mixed = [255 if part > 247 else part for part in shared.getpalette()[: 3 * 128]]
    shared.putpalette(mixed + kept.ravel().tolist())
    frames = [Image.fromarray(image).quantize(palette=shared, dither=Image.Dither.NONE) for image in images]
    if times is None:
        times = [seconds / max(len(frames), 15)] * (len(frames) - 1) + [held]
    durations = [round(1000 * each) for each in times]
    frames[0].save(path, save_all=True, append_images=frames[1:], duration=durations, loop=0)
    return path
