@echo off
rem What `make run` does: makes .venv, installs what is needed, starts the bot. With keys: run --console
setlocal
cd /d "%~dp0"

if not exist .venv\Scripts\python.exe (
    py -3 -m venv .venv || python -m venv .venv || goto no_python
)
rem Installed anew whenever one of the two lists has changed since.
fc /b requirements.txt .venv\requirements.txt >nul 2>&1 && fc /b constraints.txt .venv\constraints.txt >nul 2>&1
if errorlevel 1 (
    .venv\Scripts\python -m pip install --quiet -r requirements.txt -c constraints.txt tzdata || exit /b 1
    copy /y requirements.txt .venv\requirements.txt >nul
    copy /y constraints.txt .venv\constraints.txt >nul
)
.venv\Scripts\python bot.py %*
exit /b %errorlevel%

:no_python
echo Python 3.11 or newer is needed: https://www.python.org/downloads/windows/
exit /b 1
