@echo off
rem Fetches the original checkpoints into the folder checkpoints, checked; an interrupted download goes on. For example
rem   download_models.bat --from-file C:\Users\me\Downloads\models_checkpoints.zip
setlocal
set "PYTHONUTF8=1"
set "PYTHON="
if exist "%~dp0.venv\Scripts\python.exe" "%~dp0.venv\Scripts\python.exe" -c "" >nul 2>nul && set PYTHON="%~dp0.venv\Scripts\python.exe"
if defined PYTHON goto run
py -3 -c "import sys; sys.exit(sys.version_info < (3, 10))" >nul 2>nul && set "PYTHON=py -3"
if defined PYTHON goto run
python -c "import sys; sys.exit(sys.version_info < (3, 10))" >nul 2>nul && set "PYTHON=python"
if defined PYTHON goto run
echo ISICGUI needs Python 3.10 or newer, and none was found here.
echo Install it from python.org and double-click this file again.
set "RESULT=1"
goto end
:run
%PYTHON% "%~dp0download_models.py" %*
set "RESULT=%ERRORLEVEL%"
:end
rem Started by a double-click, the console would close before anyone could read what was done.
if "%~1"=="" pause
exit /b %RESULT%
