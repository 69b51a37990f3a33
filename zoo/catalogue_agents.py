"""The rows of `zoo/catalogue.py` for agents: models of action values."""

from zoo.registry import Entry

SUTTON_2018 = "Sutton, Barto 2018, Reinforcement learning"

AGENTS = (
    Entry(
        "q_table",
        family="q_linear",
        task="q_learning",
        paper="Watkins 1989, Learning from delayed rewards",
        input="a state 0..states - 1, ()",
        parameters=64,
        summary="a table of the value of each action in each state",
        tiny=dict(states=5, actions=3),
    ),
    Entry(
        "q_linear",
        family="q_linear",
        task="q_learning",
        paper=f"{SUTTON_2018}, sections 9.5 and 10.1",
        input="an observation, (2,); any vector of known range",
        parameters=1_944,
        summary="values linear in tiles, polynomials, cosines, radial bases or the observation itself",
        tiny=dict(low=(-1.0, -1.0), high=(1.0, 1.0), tilings=2, tiles=2),
    ),
    Entry(
        "dqn",
        family="q_network",
        task="q_learning",
        paper="Mnih et al. 2015, Human-level control through deep reinforcement learning; for vectors",
        input="an observation, (4,); any vector",
        parameters=4_610,
        summary="dense layers to the value of each action",
        tiny=dict(hidden=(8,)),
    ),
    Entry(
        "nature_dqn",
        family="q_network",
        task="q_learning",
        paper="Mnih et al. 2015, Human-level control through deep reinforcement learning",
        input="raw pixels 0..255, (84, 84, 4); any stack of frames of 36 x 36 or more",
        parameters=1_687_206,
        summary="three convolutions and a dense layer, for frames of a game",
        tiny=dict(observation_shape=(36, 36, 1), actions=3, hidden=8),
    ),
    Entry(
        "dueling_dqn",
        family="q_network",
        task="q_learning",
        paper="Wang et al. 2016, Dueling network architectures for deep reinforcement learning",
        input="an observation, (4,); any vector, or raw pixels as nature_dqn takes them",
        parameters=8_835,
        summary="a stream for the value of the state, and one for the advantages of the actions",
        tiny=dict(actions=3, hidden=(8,), stream=8),
    ),
)
