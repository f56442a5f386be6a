# SPDX-License-Identifier: Apache-2.0
"""A headless Chromium that opens pages from files: for the tests of the pages and for screenshots.

Needs the Debian packages chromium, chromium-driver and python3-selenium.
"""

import base64
import json
import pathlib

from selenium import webdriver
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service

PHONE = {"width": 390, "height": 844, "scale": 2}
DESKTOP = {"width": 1280, "height": 900, "scale": 1}
# Root, as in a container, has no sandbox; animations would make pictures depend on time.
ARGUMENTS = ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars",
             "--force-prefers-reduced-motion", "--no-first-run", "--disable-background-networking", "--lang=en"]


class Browser:
    """`downloads`: the folder that files go to. A context manager."""

    def __init__(self, downloads=None):
        options = Options()
        for argument in ARGUMENTS:
            options.add_argument(argument)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
        self.driver = webdriver.Chrome(service=Service("/usr/bin/chromedriver"), options=options)
        self.driver.set_script_timeout(60)
        if downloads:
            self.command("Browser.setDownloadBehavior", behavior="allow", downloadPath=str(downloads))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.driver.quit()

    def command(self, name, **parameters):
        """Chrome DevTools Protocol."""
        return self.driver.execute_cdp_cmd(name, parameters)

    def media(self, dark=False, kind=""):
        """What the page's media queries see."""
        self.command("Emulation.setEmulatedMedia", media=kind,
                     features=[{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}])

    def size(self, width, height, scale=1):
        self.command("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=scale,
                     mobile=width < 600)

    def open(self, path, dark=False, size=None):
        """Opens a file and waits until all its charts are drawn."""
        self.media(dark)
        self.size(**(size or DESKTOP))
        self.messages()
        self.requests()
        self.driver.get(pathlib.Path(path).resolve().as_uri())
        self.settle()

    def settle(self):
        """Until the charts are drawn, and two frames more."""
        self.wait("bitline.ready.then(() => requestAnimationFrame(() => requestAnimationFrame(() => done(true))))")

    def wait(self, script):
        """Runs a script that calls done(value); its value."""
        return self.driver.execute_async_script("const done = arguments[arguments.length - 1];" + script)

    def js(self, expression, *arguments):
        return self.driver.execute_script("return " + expression, *arguments)

    def messages(self):
        """What the page said on the console since the last call: texts of warnings and errors."""
        return [entry["message"] for entry in self.driver.get_log("browser") if entry["level"] in ("WARNING", "SEVERE")]

    def requests(self):
        """URLs that were asked for since the last call, those inside the page (data:, blob:) left out."""
        events = [json.loads(entry["message"])["message"] for entry in self.driver.get_log("performance")]
        urls = [e["params"]["request"]["url"] for e in events if e["method"] == "Network.requestWillBeSent"]
        return [url for url in urls if not url.startswith(("data:", "blob:"))]

    def picture(self, selector=None, height=None):
        """PNG of the page, of its first `height` pixels, or of an element with all that it holds."""
        self.settle()
        if selector:
            box = self.js("(r => [r.left + scrollX, r.top + scrollY, r.width, r.height])"
                          "(document.querySelector(arguments[0]).getBoundingClientRect())", selector)
        else:
            whole = self.command("Page.getLayoutMetrics")["cssContentSize"]
            box = [0, 0, whole["width"], min(height or whole["height"], whole["height"])]
        clip = dict(zip(("x", "y", "width", "height"), box), scale=1)
        answer = self.command("Page.captureScreenshot", format="png", captureBeyondViewport=True, clip=clip)
        return base64.b64decode(answer["data"])
