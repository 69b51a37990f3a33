"""The zoo's own environments and the packages that bring others, registered when first needed."""

import gymnasium

from zoo.envs import atari

FLAPPY_BIRD = "flappy_bird_gymnasium:FlappyBirdEnv"
# What comes with the package's extra "rl".
EXTRA = (atari.ENTRY, FLAPPY_BIRD)
# Steps after which an episode is cut, where its registration sets no limit.
LIMITS = {atari.ENTRY: atari.FRAMES // atari.SKIP}

# Id, class of `zoo.envs`, and the steps after which an episode is cut.
OWN = (
    ("zoo/Corridor-v0", "zoo.envs.walks:Corridor", 100),
    ("zoo/RandomWalk-v0", "zoo.envs.walks:RandomWalk", 1000),
    ("zoo/Baird-v0", "zoo.envs.baird:Baird", 1000),
    ("zoo/RecyclingRobot-v0", "zoo.envs.robot:RecyclingRobot", 100),
    ("zoo/Bandit-v0", "zoo.envs.bandit:Bandit", 1000),
    ("zoo/Spiral-v0", "zoo.envs.spiral:Spiral", 1000),
    ("zoo/Star-v0", "zoo.envs.star:Star", 1000),
)


def _flappy_bird():
    import flappy_bird_gymnasium  # noqa: F401


# Package, how the ids begin for which it is needed, and what registers them.
PACKAGES = (("ale_py", "ALE/", atari.load), ("flappy_bird_gymnasium", "FlappyBird-", _flappy_bird))


def register():
    """Registers the zoo's own environments, once."""
    for name, entry, limit in OWN:
        if name not in gymnasium.registry:
            gymnasium.register(name, entry_point=entry, max_episode_steps=limit)
