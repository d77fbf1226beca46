"""Swagger UI in a browser: it works under the content security policy and needs nothing from elsewhere."""

import threading

import pytest
import uvicorn
from playwright.sync_api import expect

from forewarn.testing.fakes import FakePlatform
from forewarn_api.app import make_app
from support.dashboard_ui import VIOLATION, free_port
from support.stack import wait_until

pytestmark = pytest.mark.browser

TOKEN = "an-e2e-token-of-the-docs"


@pytest.fixture
def api_url():
    port = free_port()
    server = uvicorn.Server(uvicorn.Config(make_app(FakePlatform().backend, token=TOKEN), port=port, log_level="error"))
    thread = threading.Thread(target=server.run)
    thread.start()
    wait_until(lambda: server.started, 60, "the API answers")
    yield f"http://127.0.0.1:{port}"
    server.should_exit = True
    thread.join()


@pytest.mark.parametrize("width", [1280, 390])
def test_an_operation_is_tried_out_with_the_token(browser, api_url, width):
    page = browser.new_page(viewport={"width": width, "height": 900})
    urls, console = [], []
    page.on("request", lambda request: urls.append(request.url))
    page.on("console", lambda message: console.append(message.text))
    page.goto(f"{api_url}/docs")
    operation = page.locator("#operations-assets-list_classes_api_v1_classes_get")
    operation.locator(".opblock-summary-control").click(timeout=30_000)
    operation.get_by_role("button", name="Try it out").click()
    operation.get_by_role("button", name="Execute").click()
    status = operation.locator(".live-responses-table tbody .response-col_status")
    expect(status).to_contain_text("401")

    page.get_by_role("button", name="Authorize").first.click()
    page.locator(".auth-container input").fill(TOKEN)
    page.locator(".auth-btn-wrapper .authorize").click()
    page.locator(".auth-btn-wrapper .btn-done").click()
    operation.get_by_role("button", name="Execute").click()
    expect(status).to_contain_text("200")
    expect(operation.locator(".live-responses-table")).to_contain_text("centrifugal_pump")

    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert not [url for url in urls if not url.startswith((api_url, "data:"))]
    assert not [text for text in console if VIOLATION.search(text)]
    page.close()
