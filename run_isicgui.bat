@echo off
rem Sets ISICGUI up if need be and opens its window. With arguments it runs a command instead, for example
rem   run_isicgui.bat generate --classes MEL=2,NV=2 --output demo
setlocal
set "PYTHONUTF8=1"
set "PYTHON="
py -3 -c "import sys; sys.exit(sys.version_info < (3, 10))" >nul 2>nul && set "PYTHON=py -3"
if defined PYTHON goto run
python -c "import sys; sys.exit(sys.version_info < (3, 10))" >nul 2>nul && set "PYTHON=python"
if defined PYTHON goto run
echo ISICGUI needs Python 3.10 or newer, and none was found here.
echo Install it from python.org and double-click this file again.
set "RESULT=1"
goto end
:run
%PYTHON% "%~dp0bootstrap.py" %*
set "RESULT=%ERRORLEVEL%"
:end
rem Started by a double-click, the console would close before anyone could read what went wrong.
if not "%RESULT%"=="0" if "%~1"=="" pause
exit /b %RESULT%
