"""``python -m forewarn_api``. Worker processes import this module too, so it must not load the service."""

if __name__ == "__main__":
    from forewarn.runtime.service import run_service
    from forewarn_api.process import main
    from forewarn_api.settings import ApiSettings

    run_service("api", ApiSettings, main)
