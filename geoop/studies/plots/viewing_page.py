"""A scene behind a page in a browser, by trame: for machines without a display. VTK draws here, the browser shows the pictures."""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import Any

from ...errors import ConfigurationError, MissingDependencyError
from ...mesh.quantity import parse_label
from .fields import off_screen
from .viewing import WINDOW, Scene, Sweep


def serve(
    sweep: Sweep,
    *,
    field: str | None = None,
    step: int | None = None,
    port: int = 0,
    open_browser: bool = True,
    said: Callable[[str], None] | None = None,
) -> None:
    """Serve a page on this machine alone, until it is interrupted: a picture to turn, a slider over the sweep, a choice of fields.

    Args:
        sweep: what there is.
        field, step: shown first, as for :class:`~geoop.studies.plots.viewing.Scene`.
        port: of localhost; a free one if 0.
        open_browser: whether to open the page in the browser of this machine.
        said: called with the address when the page can be opened.

    Raises:
        MissingDependencyError: trame is not installed, or VTK cannot draw.
        ConfigurationError: no such field or step, or the port is taken.
    """
    get_server = _trame()
    port = _free(port)
    with off_screen(WINDOW) as plotter:
        server = page(Scene(sweep, plotter, field, step), get_server(f"geoop-{port}"))
        if said is not None:
            server.controller.on_server_ready.add(lambda **_: said(f"http://localhost:{port}/"))
        server.start(port=port, host="127.0.0.1", open_browser=open_browser, show_connection_info=False, timeout=0, thread=False, backend="aiohttp")


def page(scene: Scene, server: Any) -> Any:
    """The page of a scene on a server of trame: its state holds ``step`` and ``field``, and a change of them changes the scene.

    Returns:
        the server.
    """
    from trame.ui.vuetify3 import SinglePageLayout
    from trame.widgets import vtk as widgets
    from trame.widgets import vuetify3 as vuetify

    state, sweep = server.state, scene.sweep
    state.update({"step": scene.step, "label": scene.label, "field": scene.field, "trame__title": f"geoop: {sweep.name}"})
    with SinglePageLayout(server) as layout:
        layout.title.set_text(sweep.name)
        layout.icon.hide()
        with layout.toolbar:
            vuetify.VSpacer()
            if len(sweep.labels) > 1:
                vuetify.VSlider(
                    v_model=("step",), min=0, max=len(sweep.labels) - 1, step=1, hide_details=True, density="compact", style="max-width: 380px"
                )
                layout.toolbar.add_child("<span style='min-width: 14em; padding: 0 1em'>{{ label }}</span>")
            if len(scene.fields) > 1:
                items = [{"title": parse_label(name)[0].replace("_", " "), "value": name} for name in scene.fields]
                vuetify.VSelect(v_model=("field",), items=("fields", items), hide_details=True, density="compact", style="max-width: 260px")
        layout.footer.hide()
        with layout.content, vuetify.VContainer(fluid=True, classes="pa-0 fill-height"):
            view = widgets.VtkRemoteView(scene.plotter.render_window, interactive_ratio=1)

    def changed(**_: Any) -> None:
        step, field = int(state.step), state.field
        if field != scene.field:
            scene.show_field(field)
        if step != scene.step:
            scene.show_step(step)
        state.label = scene.label
        view.update()

    state.change("step", "field")(changed)
    server.controller.on_client_connected.add(lambda **_: view.update())
    return server


def _trame() -> Callable[[str], Any]:
    try:
        import trame.ui.vuetify3
        import trame.widgets.vtk  # noqa: F401
        from trame.app import get_server
    except ImportError as error:
        raise MissingDependencyError(
            f"a page in a browser is made by trame, which is not installed ({error})",
            where="geoop view",
            remedy="pip install 'geoop[view]', or make a picture: --picture out.png",
        ) from error
    return get_server


def _free(port: int) -> int:
    """The port, or a free one for 0."""
    with socket.socket() as probe:
        try:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(("127.0.0.1", port))
        except (OSError, OverflowError) as error:
            raise ConfigurationError(
                f"port {port} cannot be used: {error}", where="geoop view", remedy="leave --port out, or give another"
            ) from error
        return probe.getsockname()[1]
